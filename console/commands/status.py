"""``perennial status``: one screen for whoever is on call."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from console.output import out
from console.tables import show, table
from perennial.clock import clock_of
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import Settings, load_settings

if TYPE_CHECKING:
    from reverse_etl.sync.marks import Standing


def status() -> None:
    """Show stale sources, what waits, what is held or out of step, the last acceptance, and what to type next."""
    settings = load_settings()
    now = clock_of(settings).now()
    out.print(f"[bold]{settings.home}[/] at {now:%Y-%m-%d %H:%M:%S} UTC")
    advice = list(_sources(settings, now))
    advice += _queue(settings)
    advice += _quarantine(settings)
    advice += _ledger(settings)
    advice += _erasures(settings)
    out.print("[bold]Next:[/] " + (advice[0] if advice else "nothing to do"), soft_wrap=True)


def _sources(settings: Settings, now: datetime) -> Iterator[str]:
    from extractors.landing.log import LandingLog
    from extractors.last_pulled import last_pulled
    from perennial.streams import FOREIGN

    landed: dict[str, datetime] = {}
    rows: dict[str, int] = {}
    for batch in LandingLog(settings.landing_url).batches():
        for stream, count in batch.streams.items():
            landed[stream] = batch.landed_at
            rows[stream] = rows.get(stream, 0) + count
    pulled = last_pulled(settings)
    states = {
        stream: _state(
            settings, stream, max(filter(None, (landed.get(stream), pulled.get(stream))), default=None), now
        )
        for stream in FOREIGN
    }
    shown = table("stream", "rows landed", ".last landed", ".state")
    for stream in sorted({*landed, *(stream for stream, state in states.items() if state != "off")}):
        at = f"{landed[stream]:%Y-%m-%d %H:%M:%S}" if stream in landed else ""
        shown.add_row(stream, f"{rows.get(stream, 0):,}", at, states.get(stream, ""))
    show(out, "Sources", shown)
    if not landed:
        out.print("Nothing has landed yet.")
        yield "perennial check, then perennial run"
    if any(stream.startswith("flowhub/") and state == "stale" for stream, state in states.items()):
        yield "perennial check (Flowhub brings nothing new), or perennial run to pull now"


def _state(settings: Settings, stream: str, heard_at: datetime | None, now: datetime) -> str:
    """Say in a word what is to be thought of a stream's silence; nothing where it was heard of in time."""
    from perennial.streams import FOREIGN, is_expected

    if not is_expected(stream, settings):
        return "off"
    if heard_at is None:
        return "nothing yet"
    silence = now - heard_at
    if silence > FOREIGN[stream].stale_after:
        return "stale"
    return "late" if silence > FOREIGN[stream].late_after else ""


def _queue(settings: Settings) -> Iterator[str]:
    from dagster_project.lib.backlog import uncovered
    from dagster_project.lib.worker import worker_runs
    from extractors.landing.log import LandingLog

    newest = uncovered(LandingLog(settings.landing_url))
    runs = worker_runs(Home(settings.home))
    out.print(f"Worker: {'runs' if runs else 'does not run'}. ", end="")
    out.print("Every batch is built." if newest is None else f"Batches up to {newest} wait for a build.")
    if newest is not None and not runs:
        yield "perennial worker (builds at once and from then on), or perennial run (once)"


def _erasures(settings: Settings) -> Iterator[str]:
    from erasure.work import open_work

    for work in open_work(Home(settings.home)):
        out.print(f"The erasure that began on {work.erased_at:%Y-%m-%d %H:%M} UTC is not over.")
        yield "perennial erase PERSON, with any name of hers: it goes on where it stopped"


def _quarantine(settings: Settings) -> Iterator[str]:
    from extractors.validation.quarantine import Selection, refused

    home = Home(settings.home)
    if not (home.published / "current.json").exists():
        return
    try:
        rows = refused(home, Selection())
    except PerennialError:  # of an older version: the next build shows it
        return
    if rows:
        out.print(f"Quarantine: {len(rows):,} rows wait for somebody to look.")
        yield "perennial quarantine list"


def _ledger(settings: Settings) -> Iterator[str]:
    from sqlalchemy import func, select

    from reverse_etl.dead_letters import dead_letters
    from reverse_etl.holds import all_holds
    from reverse_etl.ledger.store import open_ledger
    from reverse_etl.ledger.tables import enrollments
    from reverse_etl.pauses import standing
    from reverse_etl.report import ledger_report
    from reverse_etl.states import Status
    from reverse_etl.sync.marks import standings

    if settings.perennial_ledger_url is None and not (settings.home / "ledger.sqlite").exists():
        out.print("Nothing has been sent yet.")
        return
    ledger = open_ledger(settings.ledger_url, salt_of(settings))
    try:
        report = ledger_report(ledger)
        with ledger.read() as connection:
            accepted_at = connection.scalar(select(func.max(enrollments.c.accepted_at)))
            holds, paused, letters = all_holds(connection), standing(connection), dead_letters(connection)
            mirrors = standings(connection)
    finally:
        ledger.close()
    shown = table("system", ".state", "count")
    for destination, counts in report.counts.items():
        for state, count in counts.items():
            shown.add_row(destination, state, f"{count:,}")
    show(out, "Enrollments", shown)
    last = "nothing yet" if accepted_at is None else f"{accepted_at:%Y-%m-%d %H:%M:%S} UTC"
    out.print(f"Last accepted: {last}.")
    _kept_equal(mirrors)
    for hold in holds:
        command = f"perennial holds show {hold.hold_id}"
        told = f"{hold.rows:,} of {hold.flow_name} to {hold.destination} ({hold.clause})"
        out.print(f"Held: {told}. → {command}", markup=False, soft_wrap=True)
        yield command
    for pause in paused:
        command = f"perennial resume{pause.options}"
        out.print(
            f"Paused: {pause}, since {pause.since:%Y-%m-%d %H:%M:%S} UTC. → {command}",
            markup=False,
            soft_wrap=True,
        )
        yield f"{command} (when calls may go on)"
    refused = sum(letter.status == Status.REJECTED for letter in letters)
    refused += sum(mirror.refused for mirror in mirrors)
    if refused:
        out.print(
            f"Refused: {refused:,} rows wait for somebody to look. → perennial deadletters list",
            soft_wrap=True,
        )
        yield "perennial deadletters list"
    if report.ambiguous:
        yield (
            f"look up {len(report.ambiguous)} ambiguous enrollments at the destination, then "
            "perennial deadletters resolve ID --sent (or --not-sent)"
        )
    drifted = [str(mirror.mirror) for mirror in mirrors if mirror.drifted]
    if drifted:
        command = "perennial push --read-back"
        out.print(f"Drift: {', '.join(drifted)}. → {command}", markup=False, soft_wrap=True)
        yield f"{command} (it asks before it repairs)"
    if not paused and any(counts.get("pending") for counts in report.counts.values()):
        yield "perennial push"


def _kept_equal(mirrors: "list[Standing]") -> None:
    """Show how what is kept equal stands: in step, or by how many it is not, and what the last read-back found."""
    if not mirrors:
        return
    shown = table("kept equal", ".state", "open", "failed", "missing", "unexpected", ".last read back")
    for one in mirrors:
        found = ["", "", ""]  # of traits, and of a list that nobody has read
        if one.read_at is not None:
            at = f"{one.read_at:%Y-%m-%d %H:%M:%S}"
            found = [f"{one.missing or 0:,}", f"{one.unexpected or 0:,}", at]
        shown.add_row(str(one.mirror), one.state, f"{one.waiting:,}", f"{one.refused:,}", *found)
    show(out, "Traits and lists", shown)
