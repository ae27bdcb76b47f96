"""The operator's desk of refused rows, as a job: *Jobs* → ``quarantine`` → *Launchpad*."""

from typing import Literal

import dagster as dg
from pydantic import Field

from dagster_project.lib.failures import acted_on_by_people
from extractors.landing.log import LandingLog
from extractors.validation import quarantine as desk
from perennial.clock import clock_of
from perennial.home import Home
from perennial.settings import load_settings


class QuarantineConfig(dg.Config):
    """Which open rows, and what becomes of them."""

    action: Literal["retry", "discard"] = Field(
        description="Land them again after a fix, or set them aside for good."
    )
    stream: str | None = Field(
        default=None, description="Only rows of this stream, such as jane/cart_status."
    )
    reason: str | None = Field(default=None, description="Only rows with these words in their reason.")
    rows: list[str] = Field(default=[], description="Only these, as seq/row: 41/2.")


@dg.op
def close_quarantined_rows(context: dg.OpExecutionContext, config: QuarantineConfig) -> None:
    """Do with open rows what the config says; each once, however often it is run."""
    settings = load_settings()
    home, clock = Home(settings.home), clock_of(settings)
    log = LandingLog(settings.landing_url, clock)
    places = tuple(desk.Place.of(text) for text in config.rows)
    if config.action == "discard" and not (config.stream or config.reason or places):
        raise dg.Failure(
            "nothing says which rows to discard: name stream, reason or rows", allow_retries=False
        )
    with acted_on_by_people():
        rows = desk.refused(home, desk.Selection(config.stream, config.reason, places))
        act = desk.retry if config.action == "retry" else desk.discard
        done = act(home, log, clock, rows)
    context.log.info("%s: %d rows, %d had been closed before", config.action, len(done.places), done.before)
    context.add_output_metadata(
        {"rows": len(done.places), "closed_before": done.before, "batch": done.batch or ""}
    )


@dg.job(
    description="Take refused rows up again after a fix, or set them aside; perennial quarantine list shows them.",
    executor_def=dg.in_process_executor,
)
def quarantine() -> None:
    """Close rows of quarantine."""
    close_quarantined_rows()
