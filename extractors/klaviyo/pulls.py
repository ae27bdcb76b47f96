"""Pulls what OMNI writes to Klaviyo into the landing log: the events of every metric named ``wv/…``.

Events are filtered by when they happened; no filter knows when Klaviyo took them. OMNI's events are there
within seconds as a rule, but a queue, a retry or a store that was offline brings some later. So each pull reads
the last hour before its predecessor again, and once a day the last week; only what is new or differs lands.
A pull may be killed anywhere: the next one goes on behind the last page that landed.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from extractors.http import Patience
from extractors.klaviyo.client import (
    EVENTS_PATH,
    METRICS_PATH,
    CursorRefusedError,
    KlaviyoClient,
    klaviyo_client,
)
from extractors.klaviyo.pages import Event, Metric, Page, read_events, read_metrics
from extractors.klaviyo.state import KlaviyoState, Run
from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from extractors.lock import one_pull_of
from extractors.pulled import StreamReport, new_pull_id, rfc3339
from perennial.clock import Clock
from perennial.crash import crash_point
from perennial.errors import VendorError
from perennial.home import Home
from perennial.settings import Settings

STREAM = "omni/klaviyo_events"
PREFIX = "wv/"
PAGE_SIZE = 200  # the longest page of older revisions, and the default of this one
HISTORY_DAYS = 400  # a first pull's reach: a year of seasons, and the month around its start
RE_READ = timedelta(hours=1)
SWEEP_EVERY = timedelta(days=1)
# Shopify repeats what a busy receiver refused for up to three days; a week leaves room for a shop that was closed.
SWEEP_REACH = timedelta(days=7)
_FORGET_AFTER = SWEEP_REACH + timedelta(days=1)
_CLOCKS_DIFFER_BY = timedelta(minutes=5)
_QUIET_SECONDS = 2.0


@dataclass(slots=True)
class _Tally:
    """Counts while events are pulled."""

    pages: int = 0
    records: int = 0
    landed: int = 0
    seqs: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Context:
    """What every step of a pull works with."""

    client: KlaviyoClient
    state: KlaviyoState
    log: LandingLog
    landing_url: str
    clock: Clock
    say: Callable[[str], None]
    tally: _Tally
    history: timedelta


def pull(  # noqa: PLR0913 - the last two are for tests and for a first pull with another reach
    settings: Settings,
    log: LandingLog,
    clock: Clock,
    on_progress: Callable[[str], None],
    *,
    history_days: int = HISTORY_DAYS,
    patience: Patience | None = None,
) -> StreamReport:
    """Pull every metric of OMNI's, and land what is new.

    Raises ``SettingsError`` for a missing key, ``VendorError`` when Klaviyo refuses or is down,
    ``LandingError`` when the log can't be written. What landed before stays, and the next pull goes on there.
    """
    began = time.monotonic()
    path = Home(settings.home).extractor_state
    with (
        klaviyo_client(settings, patience) as client,
        KlaviyoState(path) as state,
        one_pull_of(STREAM, path, on_progress),
    ):
        tally = _Tally()
        context = _Context(
            client, state, log, settings.landing_url, clock, on_progress, tally, timedelta(days=history_days)
        )
        if not state.speaks_of(log, settings.landing_url):
            on_progress(f"{STREAM}: the landing log is not the one pulled into before; all is read again")
            state.forget()
        metrics = omni_metrics(client)
        if not metrics:
            on_progress(f"{STREAM}: this account has no metric named {PREFIX}…; ask OMNI to connect Klaviyo")
        for metric in metrics:
            _pull_metric(context, metric)
    report = StreamReport(
        stream=STREAM,
        pages=tally.pages,
        records=tally.records,
        landed=tally.landed,
        unchanged=tally.records - tally.landed,
        seconds=time.monotonic() - began,
        first_seq=min(tally.seqs, default=None),
        last_seq=max(tally.seqs, default=None),
    )
    on_progress(
        f"{STREAM}: {report.records:,} read on {report.pages} pages, {report.landed:,} new or changed "
        f"({report.seconds:.1f} s)"
    )
    return report


def omni_metrics(client: KlaviyoClient) -> list[Metric]:
    """Return the account's metrics that are OMNI's, all pages of them."""
    found: list[Metric] = []
    cursor: str | None = None
    while True:
        params = {"fields[metric]": "name", **({"page[cursor]": cursor} if cursor else {})}
        metrics, following = read_metrics(client.get(METRICS_PATH, params), METRICS_PATH)
        found += [metric for metric in metrics if metric.name.strip().lower().startswith(PREFIX)]
        if following is None:
            return found
        if following == cursor:
            raise _repeated(METRICS_PATH)
        cursor = following


def _pull_metric(context: _Context, metric: Metric) -> None:
    """Finish what was begun, then read from the cursor on."""
    unfinished = context.state.unfinished(metric.metric_id)
    if unfinished:
        context.say(f"{STREAM} {metric.name}: going on at page {unfinished.page}")
        _walk(context, metric, unfinished)
    now = context.clock.now()
    last, swept = context.state.cursor(metric.metric_id)
    is_sweep = swept is None or now - swept >= SWEEP_EVERY
    since = now - context.history if last is None else min(last, now) - (SWEEP_REACH if is_sweep else RE_READ)
    run = Run(metric.metric_id, new_pull_id(now), now, since, is_sweep)
    context.state.begin(run)
    _walk(context, metric, run)


def _walk(context: _Context, metric: Metric, run: Run) -> None:
    """Read and land the pages of a run from where it stands."""
    said_at = time.monotonic()
    restarted = False
    while True:
        asked_at = rfc3339(context.clock.now())
        try:
            page = _ask(context, metric, run)
        except CursorRefusedError:
            # A cursor is good for a while only. What landed of this window is known, and does not land again.
            if restarted:
                raise
            restarted = True
            context.say(f"{STREAM} {metric.name}: the cursor is no longer good; the window is read again")
            run = replace(run, next_cursor=None, page=1)
            context.state.begin(run)
            continue
        if page.next_cursor is not None and page.next_cursor == run.next_cursor:
            raise _repeated(EVENTS_PATH)
        landed = _land(context, metric, run, page, asked_at)
        if page.next_cursor is None:
            context.state.complete(run, landed, forget_before=run.started_at - _FORGET_AFTER)
            return
        run = replace(run, next_cursor=page.next_cursor, page=run.page + 1)
        context.state.page_landed(run, landed)
        if time.monotonic() - said_at > _QUIET_SECONDS:
            said_at = time.monotonic()
            context.say(f"{STREAM} {metric.name}: {context.tally.records:,} read")


def _ask(context: _Context, metric: Metric, run: Run) -> Page:
    params = _params(metric, run)
    if run.next_cursor:
        params["page[cursor]"] = run.next_cursor
    return read_events(context.client.get(EVENTS_PATH, params), EVENTS_PATH, metric)


def _params(metric: Metric, run: Run) -> dict[str, str | int]:
    """Ask for no more of a profile than whose it is and what OMNI wrote there."""
    since = rfc3339((run.since - _CLOCKS_DIFFER_BY).replace(microsecond=0))
    return {
        "filter": f'equals(metric_id,"{metric.metric_id}"),greater-or-equal(datetime,{since})',
        "sort": "datetime",
        "include": "metric,profile",
        "fields[metric]": "name",
        "fields[profile]": "email,phone_number,external_id,properties",
        "page[size]": PAGE_SIZE,
    }


def _land(context: _Context, metric: Metric, run: Run, page: Page, asked_at: str) -> dict[str, Event]:
    """Land what is new on a page as one batch, named by its content; return it by id."""
    known = context.state.hashes(metric.metric_id, {event.event_id for event in page.events})
    fresh: dict[str, Event] = {}
    for event in page.events:
        if known.get(event.event_id) != event.hash:
            known[event.event_id] = event.hash
            fresh[event.event_id] = event
    context.tally.pages += 1
    context.tally.records += len(page.events)
    context.tally.landed += len(fresh)
    if fresh:
        batch = context.log.append(
            f"{STREAM}/{metric.metric_id}/{run.pull_id}/{run.page}-{_digest(list(fresh.values()))}",
            _records(context, metric, run, list(fresh.values()), asked_at),
        )
        crash_point("klaviyo_landed")
        context.state.note_log(context.landing_url, batch.seq, batch.name)
        context.tally.seqs.append(batch.seq)
    return fresh


def _records(
    context: _Context, metric: Metric, run: Run, events: Sequence[Event], asked_at: str
) -> list[Record]:
    now = context.clock.now()
    request = {
        "url": context.client.url(EVENTS_PATH),
        **_params(metric, run),
        "page": run.page,
        "started_at": asked_at,
        "ended_at": rfc3339(now),
    }
    return [
        Record("omni", "klaviyo_events", event.source_key, now, event.text, request=request)
        for event in events
    ]


def _digest(events: Sequence[Event]) -> str:
    return hashlib.sha256("\n".join(event.source_key for event in events).encode()).hexdigest()[:8]


def _repeated(path: str) -> VendorError:
    return VendorError(
        f"Klaviyo served a page of {path} whose next page is itself",
        "nothing is lost: the window is not closed. If it lasts, report the path to Klaviyo",
    )
