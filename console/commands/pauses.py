"""``perennial pause`` and ``perennial resume``: calls that wait until a person lets them go on."""

from typing import Annotated

import typer

from console.homes import own_home
from console.output import out
from perennial.settings import load_settings

Flow = Annotated[str | None, typer.Option("--flow", help="Only this flow.")]
Destination = Annotated[
    str | None, typer.Option("--destination", help="Only calls to this one (aiq, klaviyo, flowhub …).")
]


def pause(flow: Flow = None, destination: Destination = None) -> None:
    """Stop calls within seconds, those of running pushes too; decisions go on, and what they ask for waits."""
    _say("pause", flow, destination)


def resume(flow: Flow = None, destination: Destination = None) -> None:
    """Let calls go on; a pause of something else stays."""
    _say("resume", flow, destination)


def _say(operation: str, flow: str | None, destination: str | None) -> None:
    from reverse_etl.opening import open_desk
    from reverse_etl.pauses import say

    settings = load_settings()
    own_home(settings)
    with open_desk(settings) as desk:
        paused = say(desk, operation, flow=flow, destination=destination)
    if not paused:
        out.print("Nothing is paused.")
    for one in paused:
        out.print(
            f"Paused: {one}, since {one.since:%Y-%m-%d %H:%M:%S} UTC. It goes on with: perennial resume{one.options}",
            markup=False,
            soft_wrap=True,
        )
