"""Pauses: which calls wait until a person lets them go on.

Everything, a destination or a flow. Decisions go on, rows wait, and their time to be sent goes by. A flow's pause
leaves alone what ends something for a shopper (exits and opt-outs); the wider ones stop every call.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, update

from perennial.errors import PerennialError
from reverse_etl.kinds import NOTICES
from reverse_etl.ledger.insert import insert_new
from reverse_etl.ledger.tables import enrollments, pauses

if TYPE_CHECKING:
    from reverse_etl.desk import Desk

PAUSE, RESUME = "pause", "resume"
Scope = Literal["all", "destination", "flow"]


@dataclass(frozen=True, slots=True)
class Pause:
    """What is paused, since when and by whom."""

    scope: Scope
    name: str
    since: datetime
    by: str | None

    def __str__(self) -> str:
        return "everything" if self.scope == "all" else f"{self.scope} {self.name}"

    @property
    def options(self) -> str:
        """What ``perennial resume`` is called with to end it."""
        return "" if self.scope == "all" else f" --{self.scope} {self.name}"


def standing(connection: Connection) -> list[Pause]:
    """Return what is paused now."""
    found = connection.execute(
        select(pauses.c.scope, pauses.c.name, pauses.c.since, pauses.c.by)
        .where(pauses.c.is_paused)
        .order_by(pauses.c.scope, pauses.c.name)
    )
    return [Pause(*row) for row in found]


def stops(standing_now: list[Pause], destination: str, flow_name: str, kind: str) -> bool:
    """Say whether a row's call waits."""
    return any(
        pause.scope == "all"
        or (pause.scope == "destination" and pause.name == destination)
        or (pause.scope == "flow" and pause.name == flow_name and kind not in NOTICES)
        for pause in standing_now
    )


def is_stopped() -> ColumnElement[bool]:
    """Return ``stops`` as a condition on the rows of the ledger."""
    return exists().where(
        pauses.c.is_paused,
        or_(
            pauses.c.scope == "all",
            and_(pauses.c.scope == "destination", pauses.c.name == enrollments.c.destination),
            and_(
                pauses.c.scope == "flow",
                pauses.c.name == enrollments.c.flow_name,
                enrollments.c.kind.not_in(NOTICES),
            ),
        ),
    )


def say(
    desk: "Desk",
    operation: str,
    *,
    flow: str | None = None,
    destination: str | None = None,
    by: str | None = None,
) -> list[Pause]:
    """Pause or resume a flow, a destination, or, where nothing is named, everything; return what is paused then.

    Resuming ends the pause of the same thing only: a flow that was paused by itself stays so when everything goes on.
    Raises ``PerennialError`` for a name that nobody knows: a pause that stops nothing would be believed.
    """
    if flow is not None and destination is not None:
        raise PerennialError(
            "a flow and a destination are named at once",
            "name one of them, then the other: each pause holds by itself",
        )
    subject: dict[str, object] = {}
    if flow is not None:
        subject = {"flow": _known(flow, "flow", desk.flows())}
    elif destination is not None:
        subject = {"destination": _known(destination, "destination", desk.destinations)}
    desk.land(operation, subject, by=by)
    with desk.ledger.read() as connection:
        return standing(connection)


def _known(name: str, what: str, known: Collection[str]) -> str:
    if name not in known:
        raise PerennialError(
            f"there is no {what} {name!r}",
            f"choose from {', '.join(sorted(known)) or 'none yet: build first'}",
        )
    return name


def take_word(connection: Connection, operation: str, told: Mapping[str, Any], seq: int) -> None:
    """Keep what a landed pause or resumption says; the one that landed last counts, and said again it is one."""
    scope, name = _about(told["subject"])
    values = {
        "scope": scope,
        "name": name,
        "is_paused": operation == PAUSE,
        "since": datetime.fromisoformat(told["at"]),
        "by": told.get("by"),
        "seq": seq,
    }
    insert_new(connection, pauses, [values])
    older = (pauses.c.scope == scope) & (pauses.c.name == name) & (pauses.c.seq < seq)
    is_news = pauses.c.is_paused != values["is_paused"]
    connection.execute(update(pauses).where(older, is_news).values(values))


def _about(subject: Mapping[str, Any]) -> tuple[Scope, str]:
    if flow := subject.get("flow"):
        return "flow", flow
    if destination := subject.get("destination"):
        return "destination", destination
    return "all", ""
