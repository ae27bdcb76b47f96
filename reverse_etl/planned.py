"""What a plan that is being applied lets through: its rows, as long as they look as they did."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, select

from perennial.salt import Salt
from reverse_etl.ledger.parts import in_parts
from reverse_etl.ledger.store import salt_in
from reverse_etl.ledger.tables import enrollments, planned


def canonical(content: object) -> str:
    """Return content as a text that is the same for the same content."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def fingerprint(salt: Salt, body: Mapping[str, Any]) -> str:
    """Return what stands for a call's body; without the home's salt nobody can try addresses on it."""
    return salt.hash("planned", canonical(body))[:32]


def write_down(connection: Connection, plan_id: str, rows: Sequence[tuple[int, str]]) -> None:
    """Let the rows of a plan through, by ledger id with their fingerprints; those of plans before it no longer."""
    connection.execute(delete(planned))
    for part in in_parts(rows):
        values = [{"plan_id": plan_id, "ledger_id": of, "fingerprint": looks} for of, looks in part]
        connection.execute(insert(planned), values)


def clear(connection: Connection) -> None:
    """Let nothing through any more: a plan is applied once."""
    connection.execute(delete(planned))


def is_planned(plan_id: str) -> ColumnElement[bool]:
    """Return the condition that a row of the ledger belongs to a plan."""
    return exists().where(planned.c.plan_id == plan_id, planned.c.ledger_id == enrollments.c.ledger_id)


def changed(connection: Connection, plan_id: str, bodies: Mapping[int, Mapping[str, Any]]) -> set[int]:
    """Return the rows whose bodies are not those that were planned."""
    looks = dict(
        connection.execute(
            select(planned.c.ledger_id, planned.c.fingerprint).where(
                planned.c.plan_id == plan_id, planned.c.ledger_id.in_(bodies)
            )
        )
        .tuples()
        .all()
    )
    salt = salt_in(connection)
    return {of for of, body in bodies.items() if looks.get(of) != fingerprint(salt, body)}
