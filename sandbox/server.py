"""Runs the vendors: one process, one port on loopback, a path prefix for each."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from perennial.clock import sandbox_clock
from perennial.errors import PerennialError
from perennial.settings import Settings
from sandbox.aiq import AiqState, aiq_app
from sandbox.control import control_app
from sandbox.credentials import LOOPBACK
from sandbox.emitters.outbox import Mess, Outbox
from sandbox.faults import Connections, Faults, Gate, Vendor
from sandbox.flowhub.api import FlowhubState, flowhub_app
from sandbox.klaviyo.app import klaviyo_app
from sandbox.klaviyo.book import LoyaltyBook
from sandbox.klaviyo.state import KlaviyoState
from sandbox.page import add_page
from sandbox.received import Received
from sandbox.runtime import Runtime
from sandbox.webhook import WebhookState, webhook_app
from sandbox.world.cache import load_world
from sandbox.world.ids import to_us
from sandbox.world.spec import WorldSpec

if TYPE_CHECKING:
    from starlette.types import ASGIApp

EMIT_EVERY = 1.0


def _quiet(message: str) -> None:
    del message


def open_sandbox(settings: Settings, spec: WorldSpec, on_progress: Callable[[str], None] = _quiet) -> Runtime:
    """Make or load the world in this home; a clock that points outside of it is set to its window's start."""
    folder = settings.home / "sandbox"
    world = load_world(folder, spec, on_progress)
    clock = sandbox_clock(settings)
    if not clock.path.exists() or not spec.history_start <= clock.now() <= spec.horizon:
        clock.set(spec.window_start, running=False)
    received = Received(folder / "received.sqlite", clock)
    return Runtime(
        folder=folder,
        spec=spec,
        world=world,
        clock=clock,
        faults=Faults(),
        connections=Connections(),
        received=received,
        aiq=AiqState(received),
        klaviyo=KlaviyoState(received, LoyaltyBook(world.emissions, clock)),
        webhook=WebhookState(received, clock),
        flowhub=FlowhubState(world, clock, received, folder / "till.json"),
        outbox=Outbox(
            world, folder / "emitted.json", f"http://{LOOPBACK}:{settings.perennial_receiver_port}"
        ),
    )


def vendors_app(runtime: Runtime) -> FastAPI:
    """Return the whole app."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        emitting = asyncio.create_task(_emit_while_running(runtime))
        yield
        emitting.cancel()

    app = FastAPI(title="Perennial's sandbox", openapi_url=None, lifespan=lifespan)
    gates: dict[Vendor, ASGIApp] = {
        "flowhub": flowhub_app(runtime.flowhub),
        "aiq": aiq_app(runtime.aiq),
        "klaviyo": klaviyo_app(runtime.klaviyo),
        "webhook": webhook_app(runtime.webhook),
    }
    add_page(app, runtime)
    app.mount("/control", control_app(runtime))
    for vendor, vendor_app in gates.items():
        app.mount(
            f"/{vendor}", Gate(vendor_app, vendor, runtime.faults, runtime.connections, runtime.received)
        )
    return app


async def _emit_while_running(runtime: Runtime) -> None:
    """Send what falls due while the clock runs; a standing clock waits for ``POST /control/emit``."""
    while True:
        await asyncio.sleep(EMIT_EVERY)
        if runtime.clock_runs():
            await runtime.outbox.emit(to_us(runtime.clock.now()), Mess())


def serve(
    settings: Settings,
    spec: WorldSpec,
    stop: threading.Event | None = None,
    on_progress: Callable[[str], None] = _quiet,
) -> None:
    """Serve until ``stop`` is set or the process is told to end; the port is ``PERENNIAL_SANDBOX_PORT``."""
    runtime = open_sandbox(settings, spec, on_progress)
    config = uvicorn.Config(
        vendors_app(runtime),
        host=LOOPBACK,
        port=settings.perennial_sandbox_port,
        http=runtime.connections.protocol(),
        loop="asyncio",  # a reset needs the real socket, which uvloop doesn't give
        log_level="warning",
        access_log=False,
        timeout_keep_alive=60,
    )
    server = uvicorn.Server(config)
    if stop is not None:
        threading.Thread(target=_end_on, args=(stop, server), daemon=True).start()

    try:
        on_progress(f"serving the vendors on http://{LOOPBACK}:{settings.perennial_sandbox_port}")
        asyncio.run(server.serve())
    except SystemExit:
        raise PerennialError(
            f"the sandbox can't listen on port {settings.perennial_sandbox_port}",
            "end what uses the port, or set PERENNIAL_SANDBOX_PORT to a free one",
        ) from None
    finally:
        runtime.received.close()


def _end_on(stop: threading.Event, server: uvicorn.Server) -> None:
    stop.wait()
    server.should_exit = True
