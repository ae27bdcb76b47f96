"""``perennial sandbox``: the vendors' side, for demos, tests and benchmarks."""

import os
from pathlib import Path
from typing import Annotated

import typer

from console.demo.environment import DEFAULT_PORTS, demo_environment, enter
from console.output import err
from perennial.home import open_home
from perennial.settings import load_settings

Scale = Annotated[int, typer.Option(min=1, help="Clone every household this many times, with new people.")]
Households = Annotated[
    int | None, typer.Option(min=1, help="Let only so many households exist: a smaller, faster world.")
]
DEFAULT_HOME = Path(".perennial") / "demo"


def sandbox(scale: Scale = 1, households: Households = None) -> None:
    """Serve Flowhub, AIQ, Klaviyo and a receiver of webhooks, and send what Jane, OMNI, Shopify and partners do."""
    from sandbox.server import serve
    from sandbox.world.spec import WorldSpec

    if os.environ.get("PERENNIAL_CLOCK") != "sandbox":
        # Called by hand: the vendors belong to the demo, never to the installation that .env describes.
        home = DEFAULT_HOME.absolute()
        enter(home, demo_environment(os.environ, home, DEFAULT_PORTS))
    settings = load_settings()
    open_home(settings, "demo")
    spec = WorldSpec(scale=scale, households=households)
    serve(settings, spec, on_progress=lambda line: err.print(line, markup=False, soft_wrap=True))
