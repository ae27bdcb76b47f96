"""What ``perennial push`` is told to do by hand, as jobs: ``push_plan``, ``push_apply`` and ``push_read_back``."""

from collections.abc import Mapping

import dagster as dg
from pydantic import Field

from dagster_project.lib.failures import acted_on_by_people
from perennial.home import Home
from perennial.salt import salt_of
from perennial.settings import load_settings
from reverse_etl.plan_file import keep_plan
from reverse_etl.push import apply, plan
from reverse_etl.sync.drift import read_back, repair

_IDS = 3  # of a call that are named


class PlanConfig(dg.Config):
    """Where to; everywhere where nothing is named."""

    destinations: list[str] = Field(default=[], description="Only to these.")


@dg.op
def make_plan(context: dg.OpExecutionContext, config: PlanConfig) -> None:
    """Say exactly what would be sent now, and keep it in the home; nothing is sent."""
    settings = load_settings()
    with acted_on_by_people():
        made = plan(settings, destinations=config.destinations or None)
        file = keep_plan(made, Home(settings.home), salt_of(settings))
    context.log.info("%s: %d rows; next: push_apply with plan: %s", file, len(made.rows), made.plan_id)
    context.add_output_metadata(
        {
            "plan": made.plan_id,
            "file": dg.MetadataValue.path(str(file)),
            "rows": len(made.rows),
            "would_be_sent": {f"{name}/{flow}": count for (name, flow), count in sorted(made.counts.items())},
            # ids and names of fields: no value is shown
            "first_calls": [
                {
                    "destination": call.destination,
                    "rows": len(call.enrollment_ids),
                    "of": list(call.enrollment_ids[:_IDS]),
                    "says": list(call.fields),
                }
                for call in made.first_calls
            ],
            "not_now": {name: dict(others) for name, others in sorted(made.others.items())},
        }
    )


@dg.job(
    description="Say exactly what would be sent now, as perennial push --plan; push_apply sends that and nothing else.",
    executor_def=dg.in_process_executor,
)
def push_plan() -> None:
    """Plan a push."""
    make_plan()


class ApplyConfig(dg.Config):
    """Which plan."""

    plan: str = Field(
        description="Its id, as push_plan shows it, or a file that perennial push --plan wrote."
    )


@dg.op
def apply_plan(context: dg.OpExecutionContext, config: ApplyConfig) -> None:
    """Send what a plan says and nothing else, or refuse and name what has changed."""
    with acted_on_by_people():
        report = apply(load_settings(), config.plan, on_progress=context.log.info)
    context.add_output_metadata(
        {
            "sent": report.sent,
            "told": report.told,  # ends, and closed addresses
            "by_destination": {name: dict(counts) for name, counts in report.by_destination.items()},
            "holds": [hold.hold_id for hold in report.holds],
            "stopped": _told(report.stopped),
            "seconds": round(report.seconds, 3),
        }
    )
    if report.stopped:
        # what is left waits, and is sent by the next push
        raise dg.Failure(f"the push stopped: {_told(report.stopped)}", allow_retries=False)


@dg.job(
    description="Send what a plan says and nothing else, or refuse and name what has changed.",
    executor_def=dg.in_process_executor,
)
def push_apply() -> None:
    """Apply a plan."""
    apply_plan()


class ReadBackConfig(dg.Config):
    """Which lists are read, and whether what is found is mended."""

    destinations: list[str] = Field(default=[], description="Only the lists there.")
    repair: bool = Field(default=False, description="Put the missing on, and take the unexpected off.")


@dg.op
def read_lists_back(context: dg.OpExecutionContext, config: ReadBackConfig) -> None:
    """Read what mirrored lists really hold, and mend what differs if that is asked for."""
    settings, where = load_settings(), config.destinations or None
    with acted_on_by_people():
        found = read_back(settings, destinations=where, on_progress=context.log.info)
        differs = any(one.missing or one.unexpected for one in found)
        kept = (
            repair(settings, destinations=where, on_progress=context.log.info)
            if differs and config.repair
            else None
        )
    problems = {str(one.mirror): one.problem for one in found if one.problem}
    problems |= {str(one.mirror): one.held or one.stopped or "" for one in (kept.mirrors if kept else ())}
    context.add_output_metadata(
        {
            "lists": len(found),
            "there": sum(one.there for one in found),
            "missing": sum(one.missing for one in found),
            "unexpected": sum(one.unexpected for one in found),
            "put_on": sum(one.accepted for one in kept.mirrors) if kept else 0,
            "taken_off": sum(one.removed for one in kept.mirrors) if kept else 0,
            "not_done": _told(problems),
        }
    )
    if any(problems.values()):
        raise dg.Failure(f"not all is done: {_told(problems)}", allow_retries=False)


@dg.job(
    description="Read what mirrored lists really hold, as perennial push --read-back, and mend what differs if asked.",
    executor_def=dg.in_process_executor,
)
def push_read_back() -> None:
    """Read lists back."""
    read_lists_back()


def _told(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in reasons.items() if reason)
