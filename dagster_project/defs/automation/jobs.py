"""The jobs: the whole way, the way from landing on, the pulls, and the upkeep of a night."""

import dagster as dg

from dagster_project.lib.dbt import hot_keys, model_key
from dagster_project.lib.keys import (
    BOUNDARY,
    COMPACTED,
    DESTINATIONS,
    LANDING_LOG,
    ORDERS_PUSHED,
    PUBLISHED,
    VOLUME,
    enrollments_key,
    exits_key,
    opt_outs_key,
    rules_check,
)
from dagster_project.lib.streams import stream_key
from extractors.flowhub.pulls import STREAMS
from extractors.klaviyo.pulls import STREAM as KLAVIYO_EVENTS
from extractors.validation.rules import rules_by_stream
from perennial.streams import FOREIGN

# One process a run: a process a step would load the definitions again for each, and the file has one writer.
EXECUTOR = dg.in_process_executor
# The queue holds back a second run with the same word: builds wait for builds, a pull for the same pull.
ONE_AT_A_TIME = "perennial/one_at_a_time"
AROUND_DBT = (
    *(stream_key(stream) for stream in FOREIGN),
    LANDING_LOG,
    *(key(destination) for destination in DESTINATIONS for key in (enrollments_key, exits_key, opt_outs_key)),
    ORDERS_PUSHED,
    PUBLISHED,
)
UPKEEP = dg.AssetSelection.assets(COMPACTED)
PULLS = dg.AssetSelection.assets(*(stream_key(name) for name, stream in FOREIGN.items() if stream.is_pulled))


@dg.definitions
def jobs() -> dg.Definitions:
    """Define the jobs; ``perennial run`` and ``make run`` execute ``perennial``."""
    return dg.Definitions(
        jobs=[
            dg.define_asset_job(
                "perennial",
                dg.AssetSelection.all() - UPKEEP,
                description="Extract, check, build, decide, push and publish: once, end to end.",
                tags={ONE_AT_A_TIME: "build"},
                executor_def=EXECUTOR,
            ),
            dg.define_asset_job(
                "perennial_hot",
                dg.AssetSelection.assets(*AROUND_DBT, *hot_keys()).without_checks()
                | dg.AssetSelection.checks(
                    dg.AssetCheckKey(LANDING_LOG, BOUNDARY),
                    *(dg.AssetCheckKey(LANDING_LOG, rules_check(stream)) for stream in rules_by_stream()),
                    dg.AssetCheckKey(model_key("flow_enrollments"), VOLUME),
                ),
                description="The same way in the hot lane, as the worker goes it: no test that scans.",
                config={"ops": {"models": {"config": {"lane": "hot"}}}},
                executor_def=EXECUTOR,
                tags={ONE_AT_A_TIME: "build"},
            ),
            dg.define_asset_job(
                "build",
                dg.AssetSelection.all() - PULLS - UPKEEP,
                description="What landed, on to the push: everything but the pulls.",
                tags={ONE_AT_A_TIME: "build"},
                executor_def=EXECUTOR,
            ),
            dg.define_asset_job(
                "compact_landing",
                UPKEEP,
                description="Few large landing files instead of many small ones; waits for builds, and they for it.",
                tags={ONE_AT_A_TIME: "build"},
                executor_def=EXECUTOR,
            ),
            *(
                dg.define_asset_job(
                    f"flowhub_{stream}",
                    dg.AssetSelection.assets(stream_key(f"flowhub/{stream}"), stream_key("flowhub/pulls")),
                    description=f"Pull {stream} from Flowhub; materialise it by hand for a sync right now.",
                    tags={ONE_AT_A_TIME: f"flowhub_{stream}"},
                    executor_def=EXECUTOR,
                )
                for stream in STREAMS
            ),
            dg.define_asset_job(
                "omni_klaviyo_events",
                dg.AssetSelection.assets(stream_key(KLAVIYO_EVENTS)),
                description="Pull OMNI's events from Klaviyo; materialise it by hand for a sync right now.",
                tags={ONE_AT_A_TIME: "omni_klaviyo_events"},
                executor_def=EXECUTOR,
            ),
        ]
    )
