"""What a person should know of the models, and nothing waits for."""

import dagster as dg

from dagster_project.lib.custom_events import custom_events
from dagster_project.lib.dbt import model_key
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
