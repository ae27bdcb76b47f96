"""Lands what changed in lists that come whole: locations and inventory.

Each ends with a marker; the inventory's names every item that is there, so that absence can be told from
silence.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from extractors.flowhub.client import WHOLE_LIST_READ_SECONDS
from extractors.flowhub.errors import ACCESS_FORM, AccessRefusedError
from extractors.flowhub.landing import Context, Find, Tally, land, marker_of
from extractors.flowhub.pages import read_list
from extractors.flowhub.records import Item, Location, Named, item_of, location_of, nameless
from extractors.flowhub.run import EVERYWHERE, Run, Stream
from extractors.pulled import new_pull_id, rfc3339
from perennial.errors import SettingsError, VendorError
from perennial.settings import Settings

LOCATIONS_PATH = "/v0/clientsLocations"
# Not the …NonZero variants: a product that is out of stock is still a product.
BY_ROOMS_PATH = "/v0/inventoryByRooms"
PLAIN_PATH = "/v0/inventory"
FORBIDDEN = 403


def read_locations(context: Context, settings: Settings) -> tuple[list[Location], list[Named]]:
    """Return the locations that the settings choose, and the records that can't be read as one.

    ``SettingsError`` when FLOWHUB_LOCATION_ID names one that the credentials do not show.
    """
    page = read_list(context.client.get(LOCATIONS_PATH), path=LOCATIONS_PATH, page=1)
    read = [(text, location_of(text)) for text in page.records]
    locations = [location for _, location in read if location is not None]
    odd = [nameless(text) for text, location in read if location is None]
    return chosen(locations, settings.flowhub_location_id), odd


def chosen(locations: Sequence[Location], wanted: Sequence[str]) -> list[Location]:
    """Return the wanted locations, all of them when none is named."""
    if not wanted:
        return list(locations)
    known = {name for location in locations for name in (location.location_id, location.import_id)}
    missing = [location_id for location_id in wanted if location_id not in known]
    if missing:
        shown = ", ".join(f"{location.location_id} ({location.name})" for location in locations) or "none"
        raise SettingsError(
            f"FLOWHUB_LOCATION_ID names {', '.join(missing)}, which these credentials do not show",
            f"choose from: {shown}; or leave FLOWHUB_LOCATION_ID empty for all",
        )
    return [one for one in locations if one.location_id in wanted or one.import_id in wanted]


def pull_locations(context: Context, settings: Settings, tally: Tally) -> None:
    """Land the locations that are new or changed."""
    run = _begin(context, "locations", EVERYWHERE)
    locations, odd = read_locations(context, settings)
    _land_snapshot(context, run, LOCATIONS_PATH, [*(one.record for one in locations), *odd], tally)
    tally.pages += 1


def pull_inventory(context: Context, settings: Settings, locations: Sequence[Location], tally: Tally) -> None:
    """Land the items of each location that are new or changed, then its marker."""
    began = context.clock.now()
    path, items = _read_items(context, settings)
    tally.pages += 1
    places = [location.location_id for location in locations]
    elsewhere = sorted({item.location_id or EVERYWHERE for item in items} - set(places))
    # An item may lie at a place that the list of locations does not show, or say none at all.
    places += [place for place in elsewhere if place == EVERYWHERE or not settings.flowhub_location_id]
    for place in places:
        run = replace(_begin(context, "inventory", place), started_at=began)
        here = [item for item in items if (item.location_id or EVERYWHERE) == place]
        taken = _numbered([item.record for item in here if not item.readable or is_wanted(item, settings)])
        _land_snapshot(context, run, path, taken, tally, shelves=_shelves(taken, settings))


def _shelves(taken: Sequence[Named], settings: Settings) -> dict[str, list[str]]:
    """Return what is on the shelves, and which rooms and purchase categories that was asked of.

    Two lists can be compared where they were taken in the same way; sorted, equal ones are equal texts.
    """
    return {
        "keys": sorted(one.key for one in taken),
        "room_ids": sorted(settings.flowhub_room_ids),
        "purchase_categories": sorted(settings.flowhub_purchase_categories),
    }


def is_wanted(item: Item, settings: Settings) -> bool:
    """Tell whether the rooms and purchase categories of the settings let an item in."""
    rooms = {room.casefold() for room in settings.flowhub_room_ids}
    categories = {category.casefold() for category in settings.flowhub_purchase_categories}
    room = (item.room_id or "").replace("-", "").casefold()
    category = (item.purchase_category or "").casefold()
    return (not rooms or room in rooms) and (not categories or category in categories)


def read_inventory(path: str, body: bytes) -> list[Item]:
    """Read an inventory response into items."""
    return [item_of(text) for text in read_list(body, path=path, page=1).records]


def _read_items(context: Context, settings: Settings) -> tuple[str, list[Item]]:
    """Ask by rooms; without where the credentials may not, unless rooms are what is to be filtered by."""
    client = context.client
    try:
        body = client.get(BY_ROOMS_PATH, read_seconds=WHOLE_LIST_READ_SECONDS)
        return BY_ROOMS_PATH, read_inventory(BY_ROOMS_PATH, body)
    except AccessRefusedError as error:
        if error.status != FORBIDDEN:
            raise
    if settings.flowhub_room_ids:
        raise VendorError(
            f"FLOWHUB_ROOM_IDS is set, but Flowhub forbids these credentials {BY_ROOMS_PATH}",
            f"ask for access to inventory by rooms at {ACCESS_FORM}, or leave FLOWHUB_ROOM_IDS empty",
        )
    context.say("flowhub/inventory: these credentials may not read rooms; stock comes without them")
    return PLAIN_PATH, read_inventory(
        PLAIN_PATH, client.get(PLAIN_PATH, read_seconds=WHOLE_LIST_READ_SECONDS)
    )


def _begin(context: Context, stream: Stream, location_id: str) -> Run:
    """Begin a snapshot anew: what is left of an older one says nothing of now."""
    now = context.clock.now()
    run = Run(new_pull_id(now), stream, location_id, now)
    context.state.begin(run)
    return run


def _numbered(records: Sequence[Named]) -> list[Named]:
    """Tell lots apart that share a natural key, by their place among them."""
    seen: Counter[str] = Counter()
    numbered = []
    for record in records:
        seen[record.key] += 1
        place = seen[record.key]
        numbered.append(record if place == 1 else replace(record, key=f"{record.key}#{place}"))
    return numbered


def _land_snapshot(  # noqa: PLR0913 - what is on the shelves is said by inventories alone
    context: Context,
    run: Run,
    path: str,
    records: Sequence[Named],
    tally: Tally,
    *,
    shelves: Mapping[str, list[str]] | None = None,
) -> None:
    known = context.state.hashes(run.stream, run.location_id, [one.key for one in records])
    fresh = [one for one in records if known.get(one.key) != one.hash]
    run = replace(run, records=len(records), changed=len(fresh))
    request = {
        "url": context.client.url(path),
        "started_at": rfc3339(run.started_at),
        "ended_at": rfc3339(context.clock.now()),
    }
    # Items that say no place are no snapshot of one: they have no marker.
    placed = run.stream == "locations" or run.location_id != EVERYWHERE
    marker = marker_of(context, run, complete=True, shelves=shelves) if placed else None
    seq = land(context, run, Find(1, fresh, request), marker)
    context.state.snapshot_landed(run, {one.key: one.hash for one in records})
    tally.records += len(records)
    tally.landed += len(fresh)
    if seq is not None:
        tally.seqs.append(seq)
