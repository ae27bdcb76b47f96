"""What operators do by hand, as jobs: *Jobs* → ``holds``, ``deadletters`` or ``pauses`` → *Launchpad*."""

from typing import Literal

import dagster as dg
from pydantic import Field

from dagster_project.lib.failures import acted_on_by_people
from perennial.settings import load_settings
from reverse_etl import dead_letters as letters
from reverse_etl.holds import decide
from reverse_etl.opening import open_desk
from reverse_etl.pauses import say


class HoldConfig(dg.Config):
    """Which hold, and what becomes of it."""

    hold: str = Field(description="Its id, as perennial holds list or a check shows it.")
    action: Literal["release", "cancel"] = Field(description="Let it go on to the gates, or end it for good.")


@dg.op
def decide_hold(context: dg.OpExecutionContext, config: HoldConfig) -> None:
    """Release or cancel a hold; said again it does nothing more."""
    with acted_on_by_people(), open_desk(load_settings()) as desk:
        done = decide(desk, config.action, config.hold)
    context.log.info("%s %s: %d rows", config.action, config.hold, done.rows)
    context.add_output_metadata({"rows": done.rows})


@dg.job(
    description="Release or cancel what is too much to be sent unseen; perennial holds show tells what it is.",
    executor_def=dg.in_process_executor,
)
def holds() -> None:
    """Decide a hold."""
    decide_hold()


class DeadLetterConfig(dg.Config):
    """Which dead letters, and what becomes of them."""

    action: Literal["retry", "discard", "sent", "not_sent"] = Field(
        description="Send refused rows again after a fix, close them, or say what you found of ambiguous ones."
    )
    ids: list[str] = Field(default=[], description="These, as perennial deadletters list shows them.")
    destination: str | None = Field(default=None, description="Only those to this one.")
    flow: str | None = Field(default=None, description="Only those of this flow.")
    reason: str | None = Field(default=None, description="Only those with these words in their reason.")


@dg.op
def close_dead_letters(context: dg.OpExecutionContext, config: DeadLetterConfig) -> None:
    """Do with dead letters what the config says; each once, however often it is run."""
    selection = letters.Selection(config.destination, config.flow, config.reason, tuple(config.ids))
    is_finding = config.action in {"sent", "not_sent"}
    if selection.is_everything or (is_finding and not config.ids):
        raise dg.Failure(
            "nothing says which rows: name ids, destination, flow or reason", allow_retries=False
        )
    with acted_on_by_people(), open_desk(load_settings()) as desk:
        with desk.ledger.read() as connection:
            look = letters.dead_letters if is_finding else letters.refused
            found = look(connection, selection)
        if is_finding:
            done = letters.resolve(desk, found, was_sent=config.action == "sent")
        else:
            done = (letters.retry if config.action == "retry" else letters.discard)(desk, found)
    context.log.info("%s: %d rows", config.action, done)
    context.add_output_metadata({"rows": done})


@dg.job(
    description="Send refused rows again, close them, or settle what nobody knew: see perennial deadletters list.",
    executor_def=dg.in_process_executor,
)
def deadletters() -> None:
    """Close dead letters."""
    close_dead_letters()


class PauseConfig(dg.Config):
    """What is paused, or goes on: everything where nothing is named."""

    action: Literal["pause", "resume"] = Field(description="Stop calls within seconds, or let them go on.")
    flow: str | None = Field(default=None, description="Only this flow.")
    destination: str | None = Field(default=None, description="Only calls to this one.")


@dg.op
def say_pause(context: dg.OpExecutionContext, config: PauseConfig) -> None:
    """Pause or resume, and show what is paused then."""
    with acted_on_by_people(), open_desk(load_settings()) as desk:
        paused = [
            str(one) for one in say(desk, config.action, flow=config.flow, destination=config.destination)
        ]
    context.log.info("paused: %s", ", ".join(paused) or "nothing")
    context.add_output_metadata({"paused": paused})


@dg.job(
    description="Stop calls within seconds, or let them go on: everything, a destination or a flow.",
    executor_def=dg.in_process_executor,
)
def pauses() -> None:
    """Pause or resume calls."""
    say_pause()
