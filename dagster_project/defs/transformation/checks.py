"""What a person should know of the models, and nothing waits for."""

from collections.abc import Sequence

import dagster as dg

from dagster_project.lib.catalogue import MOST_SHOWN, doubtful_snapshots, unmapped_values
from dagster_project.lib.custom_events import custom_events
from dagster_project.lib.dbt import model_key
from dagster_project.lib.performance import Row, last_week, leaving, lifts
from perennial.home import Home
from perennial.settings import load_settings


@dg.asset_check(
    asset=model_key("custom_events"),
    name="every_event_has_a_name_that_is_known",
    description="Partners send only what the taxonomy knows; a name of their own waits here for its row.",
)
def every_event_has_a_name_that_is_known() -> dg.AssetCheckResult:
    """List the custom events by name, with their number and when they arrived; never with what they hold."""
    found = custom_events(Home(load_settings().home))
    columns = ("event_name", "partner", "events", "first_received_at", "last_received_at")
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "names": len({event.event_name for event in found}),
            "custom_events": dg.MetadataValue.table(
                [
                    dg.TableRecord({column: str(getattr(event, column)) for column in columns})
                    for event in found
                ],
                schema=dg.TableSchema([dg.TableColumn(column) for column in columns]),
            ),
        },
        description="a flow can use an event once dbt/seeds/event_types.csv has a row for it"
        if found
        else None,
    )


@dg.asset_check(
    asset=model_key("unmapped_values"),
    description="Every category, strain type and terpene that stores write has its row in a seed.",
)
def every_value_is_mapped() -> dg.AssetCheckResult:
    """List the values without a row, with how many products have each and the name of one."""
    unmapped = unmapped_values(Home(load_settings().home))
    counts = {field: len(rows) for field, rows in unmapped.items()}
    return dg.AssetCheckResult(
        passed=not unmapped,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            field: dg.MetadataValue.json([dict(row) for row in rows[:MOST_SHOWN]])
            for field, rows in unmapped.items()
        },
        description="; ".join(
            f"{count} {field} values have no row in dbt/seeds: products keep the store's word"
            for field, count in counts.items()
        )
        or None,
    )


@dg.asset_check(
    asset=model_key("inventory_snapshots"),
    description="Every list of a store's shelves of the last day was whole enough to be compared with the one before.",
)
def every_snapshot_is_believed() -> dg.AssetCheckResult:
    """List the lists that were flagged: no product of theirs is taken for gone, and no event comes of them."""
    doubtful = doubtful_snapshots(Home(load_settings().home))
    return dg.AssetCheckResult(
        passed=not doubtful,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "flagged": len(doubtful),
            "snapshots": dg.MetadataValue.json([dict(row) for row in doubtful[:MOST_SHOWN]]),
        },
        description=f"{len(doubtful)} lists were cut short: ask Flowhub when it goes on"
        if doubtful
        else None,
    )


@dg.asset_check(
    asset=model_key("flow_performance"),
    description="Of those whom a flow wrote to in its last week, few say no: one in fifty at most.",
)
def few_are_driven_away() -> dg.AssetCheckResult:
    """Show what each flow came to in its last week, and name those that drive people away."""
    week = last_week(Home(load_settings().home))
    found = leaving(week)
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"last_week": _table(week)},
        description=f"more than one in fifty said no to {', '.join(found)}: look at what is said, and how often"
        if found
        else None,
    )


@dg.asset_check(
    asset=model_key("flow_lift"),
    description="No flow's message brings less than no message does, as far as its holdout can tell.",
)
def no_flow_costs_purchases() -> dg.AssetCheckResult:
    """Show each flow's lift with its sentence, and name the flows that cost purchases."""
    measured = lifts(Home(load_settings().home))
    found = [row["flow_name"] for row in measured if row["lift_high"] is not None and row["lift_high"] < 0]
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"lift": _table(measured)},
        description=f"people buy less with the message of {', '.join(found)} than without it: pause it"
        if found
        else None,
    )


def _table(rows: Sequence[Row]) -> dg.TableMetadataValue:
    """Show rows as Dagster shows a table."""
    columns = [dg.TableColumn(name) for name in (rows[0] if rows else ())]
    records = [
        dg.TableRecord({name: "" if value is None else str(value) for name, value in row.items()})
        for row in rows
    ]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))
