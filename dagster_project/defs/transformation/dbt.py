"""The dbt project as assets, built by the one builder."""

from collections.abc import Iterator
from typing import Literal

import dagster as dg
from dagster_dbt import dbt_assets

from dagster_project.lib.build_events import BuildEvent, BuildEvents, why_broken
from dagster_project.lib.build_stream import stream_build
from dagster_project.lib.dbt import manifest, translator
from dagster_project.lib.failures import acted_on_by_people
from perennial.settings import load_settings
from warehouse.report import BuildReport

_FIX = "mend what is named and run again: the moment is finished first, nothing is lost"


class BuildConfig(dg.Config):
    """How a build is run: the scheduled lane builds and tests all, the hot lane only what decisions need."""

    lane: Literal["hot", "scheduled"] = "scheduled"


@dbt_assets(manifest=manifest(), dagster_dbt_translator=translator(), name="models")
def dbt_models(context: dg.AssetExecutionContext, config: BuildConfig) -> Iterator[BuildEvent]:
    """Submit a moment to the builder, and report each node as it ends.

    A build is a moment of the whole project: a selection narrows what is reported, not what is built. The
    worker hosts the builder when one runs in this home, this process otherwise.
    """
    parents = {key: context.assets_def.asset_deps[key] for key in context.selected_asset_keys}
    events = BuildEvents(parents, context.selected_asset_check_keys)
    report = None
    with acted_on_by_people():
        for item in stream_build(load_settings(), config.lane):
            if isinstance(item, BuildReport):
                report = item
            else:
                yield from events.of(item)
    if report is None or events.broken or not report.ok:
        raise dg.Failure(
            description=why_broken(report, events.broken),
            metadata={"fix": (report and report.advice) or _FIX},
            allow_retries=False,
        )
    if report.advice is not None:
        context.log.warning(report.advice)
    context.log.info(
        "build %s as of %s, up to batch %s: %s decisions in %.1f s",
        report.build_no,
        report.as_of.isoformat(),
        report.upto_seq,
        report.decisions,
        report.seconds,
    )
    yield from events.rest()
