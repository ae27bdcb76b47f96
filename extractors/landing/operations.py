"""What an operator did, as a row of the stream ``perennial/operations``: the one way in which it lands.

A row says ``{"operation", "subject", "at", "by"}``. Models read it like everything else that landed, so a rebuild
knows what was done by hand, and when.
"""

import getpass
import hashlib
import json
import secrets
from collections.abc import Mapping

from extractors.landing.batches import Batch
from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from perennial.clock import Clock


def land_operation(  # noqa: PLR0913 - each is a part of what is told
    log: LandingLog,
    clock: Clock,
    operation: str,
    subject: Mapping[str, object],
    *,
    by: str | None = None,
    key: str | None = None,
) -> Batch:
    """Land that somebody did something, and return its batch.

    ``operation`` is one word, such as ``order_hold``; ``subject`` says what it was done to, by ids that are no personal
    data. ``key`` names the deed: landed twice under one key it is one, and stays as it was first told. Without a key
    each call is a deed of its own. ``by`` is the user of this process unless somebody else is named.
    """
    at = clock.now()
    named = key if key is not None else f"{at.isoformat()}:{secrets.token_hex(4)}"
    told = {"operation": operation, "subject": dict(subject), "at": at.isoformat(), "by": by or _user()}
    # a key may hold what a batch's name must not
    digest = hashlib.sha256(named.encode()).hexdigest()[:32]
    return log.append(
        f"operations/{operation}/{digest}",
        [Record("perennial", "operations", f"{operation}:{named}", at, json.dumps(told))],
    )


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run under a number that no user has
        return None
