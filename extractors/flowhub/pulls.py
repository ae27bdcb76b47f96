"""Pulls Flowhub into the landing log: locations, inventory, customers, orders.

Orders have no filter for changes, and dates filter by day on creation in a zone that sources disagree about.
So each pull reads a trailing window again, reaches over both its ends, and lands only what is new or differs
from the version that landed last. A pull may be killed anywhere: the next one goes on, and nothing is lost or
skipped.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import get_args

from extractors.flowhub.client import flowhub_client
from extractors.flowhub.landing import Context, Tally
from extractors.flowhub.paged import Source, walk
from extractors.flowhub.pages import read_list, read_orders
from extractors.flowhub.records import Location
from extractors.flowhub.report import PullReport
from extractors.flowhub.run import EVERYWHERE, Run, Stream
from extractors.flowhub.snapshots import pull_inventory, pull_locations, read_locations
from extractors.flowhub.state import PullState
from extractors.http import Patience
from extractors.landing.log import LandingLog
from extractors.lock import one_pull_of
from extractors.pulled import StreamReport, new_pull_id
from perennial.clock import Clock
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import Settings

STREAMS: tuple[Stream, ...] = get_args(Stream)
CUSTOMERS_PATH = "/v1/customers/"
HISTORY_DAYS = 400  # a first pull's reach: a year of seasons, and the month around its start
# A void or an edit comes late, and only a second look finds it: stores close their books within a week.
RE_READ = timedelta(days=7)
# A bound is a day in the store's zone or in UTC, in or out of the window: two days cover every reading of it.
OVERLAP = timedelta(days=2)
# While pages are read by the time of change, a customer who changes moves behind the page in hand, and the
# one who slips into her place can be missed. Once a day all customers are read, without a window.
CUSTOMER_SWEEP = timedelta(days=1)


def pull(  # noqa: PLR0913 - the last two are for tests and for a first pull with another reach
    settings: Settings,
    log: LandingLog,
    clock: Clock,
    streams: Sequence[Stream],
    on_progress: Callable[[str], None],
    *,
    history_days: int = HISTORY_DAYS,
    patience: Patience | None = None,
) -> PullReport:
    """Pull the streams, in the order of ``STREAMS``, and land what is new.

    Raises ``SettingsError`` for a missing credential or unknown location, ``VendorError`` when Flowhub
    refuses or is down, ``LandingError`` when the log can't be written. What landed before stays, and the next
    pull goes on there.
    """
    home = Home(settings.home)
    with (
        flowhub_client(settings, patience) as client,
        PullState(home.extractor_state, salt_of(settings)) as state,
    ):
        context = Context(client, state, log, settings.landing_url, clock, on_progress)
        _doubt_state(context)
        return PullReport(
            [
                _pull_stream(context, settings, stream, history_days, home)
                for stream in STREAMS
                if stream in streams
            ],
        )


def orders_path(location: Location) -> str:
    """Return a location's path of orders: by its ``importId``, which is not always its id."""
    return f"/v1/orders/findByLocationId/{location.import_id}"


def _pull_stream(
    context: Context, settings: Settings, stream: Stream, history_days: int, home: Home
) -> StreamReport:
    began = time.monotonic()
    tally = Tally(stream)
    with one_pull_of(f"flowhub/{stream}", home.extractor_state, context.say):
        if stream == "locations":
            pull_locations(context, settings, tally)
        elif stream == "inventory":
            locations, _ = read_locations(context, settings)
            pull_inventory(context, settings, locations, tally)
        elif stream == "customers":
            _pull_customers(context, tally)
        else:
            locations, _ = read_locations(context, settings)
            for location in locations:
                _pull_orders(context, location, history_days, tally)
    report = tally.report(time.monotonic() - began)
    context.say(
        f"flowhub/{stream}: {report.records:,} read on {report.pages} pages, {report.landed:,} new or "
        f"changed ({report.seconds:.1f} s)"
    )
    return report


def _pull_orders(context: Context, location: Location, history_days: int, tally: Tally) -> None:
    unfinished = context.state.unfinished("orders", location.location_id)
    if unfinished:
        _walk_orders(context, unfinished, location, tally)
    now = context.clock.now()
    cursor = context.state.cursor("orders", location.location_id)
    since = min(cursor, now) - RE_READ if cursor else now - timedelta(days=history_days)
    run = Run(
        new_pull_id(now),
        "orders",
        location.location_id,
        now,
        window_after=_day(since - OVERLAP),
        window_before=_day(now + OVERLAP),
    )
    context.state.begin(run)
    _walk_orders(context, run, location, tally)


def _walk_orders(context: Context, run: Run, location: Location, tally: Tally) -> None:
    params = {
        "created_after": str(run.window_after),
        "created_before": str(run.window_before),
        "order_by": "asc",
    }
    context.say(f"flowhub/orders {location.name}: {run.window_after} to {run.window_before}{_resumed(run)}")
    source = Source(
        orders_path(location), params, lambda body, path, page: read_orders(body, path=path, page=page)
    )
    walk(context, run, source, tally, sweep=False)


def _pull_customers(context: Context, tally: Tally) -> None:
    unfinished = context.state.unfinished("customers", EVERYWHERE)
    if unfinished:
        _walk_customers(context, unfinished, tally)
    now = context.clock.now()
    cursor = context.state.cursor("customers", EVERYWHERE)
    swept = context.state.swept("customers", EVERYWHERE)
    run = Run(new_pull_id(now), "customers", EVERYWHERE, now)
    if cursor and swept and now - swept < CUSTOMER_SWEEP:
        run = replace(run, window_after=_day(min(cursor, now) - OVERLAP))
    context.state.begin(run)
    _walk_customers(context, run, tally)


def _walk_customers(context: Context, run: Run, tally: Tally) -> None:
    params = {"order_by": "asc"}
    if run.window_after:
        params["updated_after"] = str(run.window_after)
    context.say(
        f"flowhub/customers: {f'since {run.window_after}' if run.window_after else 'all'}{_resumed(run)}"
    )
    source = Source(CUSTOMERS_PATH, params, lambda body, path, page: read_list(body, path=path, page=page))
    walk(context, run, source, tally, sweep=run.window_after is None)


def _doubt_state(context: Context) -> None:
    """Forget a state that speaks of another log: what it calls landed may not be there."""
    if not context.state.speaks_of(context.log, context.landing_url):
        context.say("flowhub: the landing log is not the one pulled into before; everything is read again")
        context.state.forget()


def _day(instant: datetime) -> date:
    return instant.date()


def _resumed(run: Run) -> str:
    return f", going on at page {run.next_page}" if run.next_page > 1 else ""
