"""What a push works with."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from extractors.landing.log import LandingLog
from perennial.clock import Clock
from reverse_etl.alerts import Alarm
from reverse_etl.guards import Guards
from reverse_etl.ledger.store import Ledger
from reverse_etl.quiet import Hours, read_rules


@dataclass(frozen=True)
class Patience:
    """How long a push bears with a vendor, in seconds. What is left waits in the ledger for the next push."""

    tries: int = 4
    first_wait: float = 0.2
    longest_wait: float = 5.0
    longest_pause: float = 60.0  # a Retry-After, or a limit of ours, beyond this ends the destination's run


def silent(_line: str) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Means:
    """The open parts of a push, and what is asked of it.

    ``tells`` are the destinations that hear of closed addresses; ``rates`` is the folder in which processes share what
    is left of a limit, without it each counts for itself. Without ``guards`` nothing is too much; the ``hours`` are the
    seed's, where a decision says for which places. With a ``plan_id`` only what was written down under it
    (``planned.py``) is sent. An ``alarm`` tells people of what waits for them, while the push goes on. When ``stop`` is
    set no further call is begun.
    """

    ledger: Ledger
    log: LandingLog
    clock: Clock
    tells: Sequence[str] = ()
    rates: Path | None = None
    guards: Guards = field(default_factory=Guards)
    hours: Hours = field(default_factory=lambda: Hours(read_rules()))
    patience: Patience = field(default_factory=Patience)
    alarm: Alarm | None = None
    plan_id: str | None = None
    on_progress: Callable[[str], None] = silent
    stop: threading.Event = field(default_factory=threading.Event)
