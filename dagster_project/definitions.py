"""The code location: everything under ``dagster_project/defs``."""

from datetime import timedelta
from pathlib import Path

import dagster as dg

# What is not pulled every few minutes is still expected twice a day: a store that sells has news by then.
HALF_A_DAY = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=6), fail_window=timedelta(hours=12))


@dg.definitions
def defs() -> dg.Definitions:
    """Load the stages, and expect every asset that can be made to be made every half a day or sooner."""
    return dg.load_from_defs_folder(
        path_within_project=Path(__file__).parent
    ).permissive_map_resolved_asset_specs(
        func=lambda spec: dg.apply_freshness_policy(spec, HALF_A_DAY, overwrite_existing=False),
        selection=dg.AssetSelection.all().materializable(),
    )
