"""What is kept equal at the destinations: traits of people, and lists that mirror an audience."""

from collections.abc import Iterator, Sequence

import dagster as dg

from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.keys import PUBLISHED, mirror_key
from perennial.salt import salt_of
from perennial.settings import load_settings
from reverse_etl.ledger.store import open_ledger
from reverse_etl.sync.marks import Standing, standings
from reverse_etl.sync.mirror import LISTS, Kind
from reverse_etl.sync.sync import KINDS, sync

MIRRORS: tuple[tuple[str, Kind], ...] = tuple(
    (destination, kind) for destination, kinds in KINDS.items() for kind in kinds
)
_SAYS: dict[Kind, str] = {
    "traits": "Traits of the people whom {} may know, equal to what is published; who is refused says why.",
    "lists": "Lists at {} that mirror an audience: on them are its members whom it may know by e-mail.",
}
_COUNTS = ("sent", "accepted", "removed", "refused", "waiting", "in_flight", "there")


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key=mirror_key(destination, kind),
            deps=[PUBLISHED],
            description=_SAYS[kind].format(destination),
            group_name="activation",
            kinds={destination},
        )
        for destination, kind in MIRRORS
    ],
    can_subset=True,
)
def mirrors(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Bring the destinations to what the newest published set wants."""
    for destination, kind in MIRRORS:
        key = mirror_key(destination, kind)
        if key not in context.selected_asset_keys:
            continue
        with acted_on_by_people():
            report = sync(
                load_settings(), destinations=[destination], kinds=[kind], on_progress=context.log.info
            )
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                # Every outcome is shown, zero included: an operator compares runs column by column.
                **{name: sum(getattr(one, name) for one in report.mirrors) for name in _COUNTS},
                "mirrors": len(report.mirrors),
                "held": _told({str(one.mirror): one.held for one in report.mirrors}),
                # what is left goes with the next sync
                "stopped": _told({str(one.mirror): one.stopped for one in report.mirrors}),
                "build_no": report.build_no or 0,
                "seconds": round(report.seconds, 3),
            },
        )


def _told(reasons: dict[str, str | None]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "nobody_is_refused",
            asset=mirror_key(destination, kind),
            description="The destination refuses nobody; perennial deadletters list says whom, and why.",
        )
        for destination, kind in MIRRORS
    ]
    + [
        dg.AssetCheckSpec(
            "no_drift",
            asset=mirror_key(destination, kind),
            description="The last read-back (perennial push --read-back) found what is to be there, and nobody else.",
        )
        for destination, kind in MIRRORS
        if kind == LISTS
    ],
    can_subset=True,
)
def mirrors_are_kept(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Say of each mirror who is refused, and what the last read-back found."""
    settings = load_settings()
    ledger = open_ledger(settings.ledger_url, salt_of(settings))
    try:
        with ledger.read() as connection:
            found = standings(connection)
    finally:
        ledger.close()
    for key in context.selected_asset_check_keys:
        destination, kind = key.asset_key.path
        own = [one for one in found if (one.mirror.destination, one.mirror.kind) == (destination, kind)]
        measured = _refused(own) if key.name == "nobody_is_refused" else _drift(own)
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=not any(measured.values()),
            severity=dg.AssetCheckSeverity.WARN,
            metadata=measured,
        )


def _refused(found: Sequence[Standing]) -> dict[str, int]:
    return {"refused": sum(one.refused for one in found)}


def _drift(found: Sequence[Standing]) -> dict[str, int]:
    return {
        "missing": sum(one.missing or 0 for one in found),
        "unexpected": sum(one.unexpected or 0 for one in found),
    }
