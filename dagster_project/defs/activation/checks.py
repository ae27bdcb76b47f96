"""What an operator is told of what is sent: too much of a flow, and what waits for a person at a destination."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from dagster_project.lib.dbt import model_key
from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.keys import DESTINATIONS, ORDERS_PUSHED, VOLUME, enrollments_key
from perennial.home import Home
from perennial.settings import load_settings
from reverse_etl.dead_letters import dead_letters
from reverse_etl.guards import guards_of, held_now
from reverse_etl.holds import all_holds
from reverse_etl.opening import open_desk

# destination → what is sent there
_SENT = {**{name: enrollments_key(name) for name in DESTINATIONS}, "flowhub": ORDERS_PUSHED}
_CHECKS = {
    "nothing_is_refused": "No row was refused for good without a person having looked at it.",
    "nothing_is_ambiguous": "Of no call it is unknown whether it had its effect.",
    "nothing_is_held": "Nothing waits for a person because it was too much to be sent unseen.",
}
_NEXT = {
    "nothing_is_refused": "perennial deadletters list",
    "nothing_is_ambiguous": "perennial deadletters list, then resolve each by what you find at the destination",
    "nothing_is_held": "perennial holds list",
}


@dg.asset_check(
    asset=model_key("flow_enrollments"),
    name=VOLUME,
    description="No flow is about to be held: what the guards of the push would say, before it begins.",
)
def enrollment_volume_is_plausible() -> dg.AssetCheckResult:
    """Ask the push's own guards what they hold, or would hold now; the push sends everything else."""
    settings = load_settings()
    with acted_on_by_people(), open_desk(settings) as desk:
        holds = held_now(desk, guards_of(Home(settings.home)))
    return dg.AssetCheckResult(
        passed=not holds,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={hold.hold_id: hold.rows for hold in holds},
        description="; ".join(
            f"{hold.rows:,} of {hold.flow_name} to {hold.destination} are held: {hold.reason}; "
            f"perennial holds show {hold.hold_id}"
            for hold in holds
        )
        or None,
    )


@dg.multi_asset_check(
    name="what_waits_for_a_person",
    specs=[
        dg.AssetCheckSpec(name, asset=key, description=says)
        for key in _SENT.values()
        for name, says in _CHECKS.items()
    ],
    can_subset=True,
)
def what_waits_for_a_person(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Warn of refused, ambiguous and held rows, with the command to type next."""
    with acted_on_by_people(), open_desk(load_settings()) as desk, desk.ledger.read() as connection:
        letters = Counter((one.destination, one.status) for one in dead_letters(connection))
        held: Counter[str] = Counter()
        for hold in all_holds(connection):
            held[hold.destination] += max(hold.rows, 1)
    for destination, key in _SENT.items():
        found = {
            "nothing_is_refused": letters[destination, "rejected"],
            "nothing_is_ambiguous": letters[destination, "ambiguous"],
            "nothing_is_held": held[destination],
        }
        for name, count in found.items():
            if dg.AssetCheckKey(key, name) in context.selected_asset_check_keys:
                yield dg.AssetCheckResult(
                    asset_key=key,
                    check_name=name,
                    passed=not count,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"rows": count},
                    description=f"{count:,} rows; next: {_NEXT[name]}" if count else None,
                )
