"""What consumers read."""

import json

import dagster as dg

from dagster_project.lib.dbt import model_key
from dagster_project.lib.keys import PUBLISHED
from perennial.home import Home
from perennial.settings import load_settings


@dg.asset(
    key=PUBLISHED,
    deps=[model_key("dim_customers"), model_key("flow_decisions")],
    group_name="published",
    kinds={"parquet"},
)
def current() -> dg.MaterializeResult[None]:
    """Report the published set: Parquet files that plain DuckDB reads while the next build runs."""
    home = Home(load_settings().home)
    pointer = home.published / "current.json"
    if not pointer.exists():
        raise dg.Failure(
            description=f"the build ended without publishing: {pointer} is missing", allow_retries=False
        )
    published = json.loads(pointer.read_text(encoding="utf-8"))
    return dg.MaterializeResult(
        metadata={
            "build_no": published["build_no"],
            "as_of": published["as_of"],
            "tables": sorted([*published["tables"], *published["views"]]),
            "pointer": dg.MetadataValue.path(str(pointer)),
        }
    )
