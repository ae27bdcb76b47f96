"""What is sent to the messaging systems: one asset a destination and kind."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from dagster_project.lib.dbt import model_key
from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.keys import DESTINATIONS, LANDING_LOG, enrollments_key, exits_key, opt_outs_key
from perennial.settings import load_settings
from reverse_etl.opening import open_desk
from reverse_etl.push import PushReport, push
from reverse_etl.report import standing_by_kind

# Every outcome is shown, zero included: an operator compares runs column by column.
_OUTCOMES = ("accepted", "rejected", "ambiguous", "held", "expired", "exited", "pending")
_IN_ALL = "…_in_all"  # as the ledger stands, whoever sent it
_NOTICES = {"exits": exits_key, "opt_outs": opt_outs_key}


@dg.multi_asset(
    specs=[
        spec
        for destination in DESTINATIONS
        for spec in (
            dg.AssetSpec(
                key=enrollments_key(destination),
                deps=[model_key("flow_enrollments")],
                description=(
                    f"Enrollments sent to {destination}, each at most once; what was refused says why. "
                    f"Counts are those of this run, `{_IN_ALL}` of all that the ledger holds: the worker sends most."
                ),
                group_name="activation",
                kinds={destination},
            ),
            dg.AssetSpec(
                key=exits_key(destination),
                deps=[model_key("flow_exits")],
                description=f"Ends of enrollments that {destination} took, told so that its flow lets her go.",
                group_name="activation",
                kinds={destination},
            ),
            dg.AssetSpec(
                key=opt_outs_key(destination),
                deps=[LANDING_LOG],
                description=f"Closed addresses, told to {destination} before anything else is sent.",
                group_name="activation",
                kinds={destination},
            ),
        )
    ],
    can_subset=True,
)
def enrollments(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Push what the landed decisions ask for and nothing else."""
    keys = context.selected_asset_keys
    selected = [
        name
        for name in DESTINATIONS
        if keys & {key(name) for key in (enrollments_key, exits_key, opt_outs_key)}
    ]
    settings = load_settings()
    with acted_on_by_people():
        report = push(settings, destinations=selected, on_progress=context.log.info)
        with open_desk(settings) as desk:
            standing = standing_by_kind(desk.ledger)
    for destination in selected:
        of_it = standing.get(destination, {})
        if enrollments_key(destination) in keys:
            yield dg.MaterializeResult(
                asset_key=enrollments_key(destination),
                metadata=_of_enrollments(report, destination, of_it.get("enrollments", {})),
            )
        for kind, key in _NOTICES.items():
            if key(destination) in keys:
                yield dg.MaterializeResult(
                    asset_key=key(destination),
                    metadata=_in_all(of_it.get(kind, {})),
                )
    stopped = {name: why for name, why in report.stopped.items() if name in selected}
    if stopped:
        # what is left stays in the ledger; the next push goes on there
        told = "; ".join(f"{name}: {why}" for name, why in stopped.items())
        raise dg.Failure(f"the push stopped: {told}", allow_retries=False)


def _of_enrollments(report: PushReport, destination: str, standing: Mapping[str, int]) -> dict[str, Any]:
    """Return what this push did, and what the ledger holds since: with a worker beside it this push finds little."""
    return {
        "sent": report.sent_to.get(destination, 0),
        **dict.fromkeys(_OUTCOMES, 0),
        **report.by_destination.get(destination, {}),
        **_in_all(standing),
        "holds": [hold.hold_id for hold in report.holds if hold.destination == destination],
        "seconds": round(report.seconds, 3),
        "receipts_landed": report.receipts_landed,
        "stopped": report.stopped.get(destination, ""),
    }


def _in_all(standing: Mapping[str, int]) -> dict[str, int]:
    return {_IN_ALL.replace("…", outcome): standing.get(outcome, 0) for outcome in _OUTCOMES}
