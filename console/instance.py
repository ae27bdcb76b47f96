"""Dagster's instance in a home: its folder, its ``dagster.yaml`` and the environment that names them."""

import os
from pathlib import Path

from perennial.home import Home

# One build at a time, and one pull of a stream at a time: the queue waits, nothing fails on a lock. The
# history of ticks is cut, or a sensor that looks every 15 seconds would fill the disk in a year.
DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 4
    tag_concurrency_limits:
      - key: perennial/one_at_a_time
        value:
          applyLimitPerUniqueValue: true
        limit: 1
run_monitoring:
  enabled: true
retention:
  schedule:
    purge_after_days:
      skipped: 2
      failure: 30
      success: 14
  sensor:
    purge_after_days:
      skipped: 1
      failure: 30
      success: 14
"""


def prepare_instance(home: Home) -> Path:
    """Write ``dagster.yaml`` (a person's own edits stay) and point this process and its children there."""
    home.dagster.mkdir(parents=True, exist_ok=True)
    settings_file = home.dagster / "dagster.yaml"
    if not settings_file.exists():
        settings_file.write_text(DAGSTER_YAML, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    return home.dagster
