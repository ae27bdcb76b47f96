"""What people decided by hand, read from the stream ``perennial/operations`` into the ledger.

Every word may be read twice: each says exactly what it is about, and changes nothing where that is done.
"""

import json
from collections.abc import Iterable

from sqlalchemy import Connection

from extractors.landing.records import LandedRecord
from extractors.landing.tombstone import is_tombstone
from reverse_etl import dead_letters, holds, pauses
from reverse_etl.sync import refused


def take_words(connection: Connection, records: Iterable[LandedRecord]) -> None:
    """Do what landed words say; those that are about other things than the ledger are passed over."""
    for record in records:
        if is_tombstone(record.payload):
            continue
        told = json.loads(record.payload)
        match told["operation"]:
            case (holds.RELEASE | holds.CANCEL) as operation:
                holds.take_word(connection, operation, told)
            case (pauses.PAUSE | pauses.RESUME) as operation:
                pauses.take_word(connection, operation, told, record.seq)
            case (dead_letters.RETRY | dead_letters.DISCARD | dead_letters.RESOLVE) as operation:
                dead_letters.take_word(connection, operation, told)
            case refused.DISCARD:
                refused.take_word(connection, told)
            case _:
                pass
