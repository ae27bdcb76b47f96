"""The receiver's application: its routes, and the journal and sealer that run while it does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response
from pydantic import BaseModel

from extractors.landing.batch_file import warm_up
from extractors.landing.journal import Journal
from extractors.landing.log import LandingLog
from extractors.landing.sealer import Sealer
from extractors.receiver import jane, messaging, omni, openapi, partners, problems, shopify
from extractors.receiver.event_models import event_models
from extractors.receiver.intake import Intake
from extractors.receiver.metrics import Metrics
from perennial.clock import Clock
from perennial.home import Home
from perennial.settings import Settings


class Health(BaseModel):
    """How the receiver is, all its processes together: ``degraded`` still takes and keeps everything."""

    status: str
    sealing: str
    workers: int


def create_app(settings: Settings, clock: Clock) -> FastAPI:
    """Return an application; each process that runs one has its own journal and sealer while it lives."""
    metrics = Metrics()
    intake = Intake(clock, metrics, settings.perennial_receiver_requests_per_second)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        warm_up()
        root = Home(settings.home).journal
        journal = Journal(root)
        log = LandingLog(settings.landing_url, clock)

        def look(problem: Exception | None) -> None:
            metrics.present(journal.waiting_bytes, sealing_stuck=problem is not None)

        look(None)
        sealer = Sealer(journal, root, log, on_batch=lambda batch: metrics.landed(batch.rows), on_look=look)
        stop = asyncio.Event()
        sealing = asyncio.create_task(sealer.run(stop))
        intake.journal = journal
        try:
            yield
        finally:
            intake.journal = None
            stop.set()
            await sealing
            await journal.close()

    app = FastAPI(
        title="Perennial receiver",
        version="1",
        description="Takes webhooks and partner events. An answer of 2xx means: it survives a power cut.",
        lifespan=life,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app, metrics)
    for source in (jane, omni, shopify, partners, messaging):
        app.include_router(source.routes(settings, intake))
    openapi.describe(app, openapi.event_schemas(event_models(), messaging.MessagingEvent))

    @app.get("/healthz", tags=["Operation"])
    async def healthz() -> Health:
        """Say whether payloads are taken and landed; one process answers for all."""
        stuck = metrics.sealing_stuck()
        return Health(
            status="degraded" if stuck else "ok",
            sealing="waits, see the log" if stuck else "running",
            workers=metrics.workers(),
        )

    @app.get("/metrics", tags=["Operation"], response_class=Response)
    async def figures() -> Response:
        """Give the figures of all processes together in Prometheus' text format."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return app
