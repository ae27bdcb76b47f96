"""What is sent to the messaging systems."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.lib.dbt import model_key
from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.keys import DESTINATIONS, enrollments_key
from perennial.settings import load_settings
from reverse_etl.push import push


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key=enrollments_key(destination),
            deps=[model_key("flow_enrollments")],
            description=f"Enrollments sent to {destination}, each at most once; what was refused says why.",
            group_name="activation",
            kinds={destination},
        )
        for destination in DESTINATIONS
    ],
    can_subset=True,
)
def enrollments(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Push what the landed decisions ask for and nothing else."""
    selected = [name for name in DESTINATIONS if enrollments_key(name) in context.selected_asset_keys]
    with acted_on_by_people():
        report = push(load_settings(), destinations=selected, on_progress=context.log.info)
    for destination in selected:
        counts = report.by_destination.get(destination, {})
        yield dg.MaterializeResult(
            asset_key=enrollments_key(destination),
            metadata={
                # Every outcome is shown, zero included: an operator compares runs column by column.
                **dict.fromkeys(("accepted", "rejected", "ambiguous", "held", "expired", "pending"), 0),
                **counts,
                "seconds": round(report.seconds, 3),
                "receipts_landed": report.receipts_landed,
                "stopped": report.stopped.get(destination, ""),
            },
        )
    stopped = {name: why for name, why in report.stopped.items() if name in selected}
    if stopped:
        # what is left stays in the ledger; the next push goes on there
        told = "; ".join(f"{name}: {why}" for name, why in stopped.items())
        raise dg.Failure(f"the push stopped: {told}", allow_retries=False)
