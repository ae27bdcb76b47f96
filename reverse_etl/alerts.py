"""Telling people, once, of what goes on without them only after they acted: a hold, a refused key, a failing run."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select

from perennial.alerts import is_heard, tell
from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.settings import Settings
from reverse_etl.holds import Hold, all_holds
from reverse_etl.ledger.insert import insert_new
from reverse_etl.ledger.store import Ledger
from reverse_etl.ledger.tables import alerts

_QUIET_SECONDS = 60.0  # after a hook failed, until it is tried again
_BARRED = "barred:"
_FAILED = "failed:"


@dataclass
class Alarm:
    """Tells of what came up since it last looked; what it told of is in the ledger."""

    settings: Settings
    ledger: Ledger
    clock: Clock
    quiet_until: float = 0.0

    def look(self, barred: Mapping[str, str], healthy: Collection[str]) -> None:
        """Tell of open holds, and of destinations that are ``barred`` (name → why); never raises for a hook.

        One that took something since (``healthy``) is told of anew when it is barred again. A kill between telling and
        noting it tells twice.
        """
        if not is_heard(self.settings) or time.monotonic() < self.quiet_until:
            return
        with self.ledger.read() as connection:
            known = set(connection.scalars(select(alerts.c.subject)))
            holds = all_holds(connection)
        self._forget([f"{_BARRED}{name}" for name in healthy if f"{_BARRED}{name}" in known])
        news = {f"hold:{hold.hold_id}": _of_hold(hold) for hold in holds}
        news |= {f"{_BARRED}{name}": _of_barred(name, why) for name, why in barred.items()}
        for subject, (title, lines) in news.items():
            if subject in known:
                continue
            if not self._tell(subject, title, lines):
                self.quiet_until = time.monotonic() + _QUIET_SECONDS
                return

    def tell_of_run(self, job: str, since: str, what: Collection[str], lines: Sequence[str]) -> None:
        """Tell of a failed run of a job, unless the same has failed ``since`` the run of it that last went well."""
        of_job = f"{_FAILED}{job}:"
        subject = f"{of_job}{since}:{','.join(sorted(what))}"
        with self.ledger.read() as connection:
            known = [one for one in connection.scalars(select(alerts.c.subject)) if one.startswith(of_job)]
        self._forget([one for one in known if not one.startswith(f"{of_job}{since}:")])
        if subject not in known:
            self._tell(subject, f"Perennial: a run of {job} failed", lines)

    def _tell(self, subject: str, title: str, lines: Sequence[str]) -> bool:
        if not tell(self.settings, title, lines):
            return False
        crash_point("told_not_noted")
        with self.ledger.write() as connection:
            insert_new(connection, alerts, [{"subject": subject, "told_at": self.clock.now()}])
        return True

    def _forget(self, subjects: list[str]) -> None:
        if subjects:
            with self.ledger.write() as connection:
                connection.execute(delete(alerts).where(alerts.c.subject.in_(subjects)))


def _of_hold(hold: Hold) -> tuple[str, list[str]]:
    return (
        f"Perennial: {hold.rows:,} of {hold.flow_name} to {hold.destination} wait for a person",
        [
            f"{hold.clause}: {hold.reason}",
            f"Next: perennial holds show {hold.hold_id}, then release or cancel it",
        ],
    )


def _of_barred(name: str, why: str) -> tuple[str, list[str]]:
    return f"Perennial: {name} takes nothing", [why, "What was decided waits. Next: perennial check"]
