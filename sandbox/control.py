"""The sandbox's own endpoints: the clock, faults, switches, what was received."""

import os
from datetime import timedelta
from typing import Any, Literal

import msgspec
from fastapi import FastAPI, HTTPException, Request, Response

from sandbox.emitters.outbox import Mess
from sandbox.emitters.signing import Manner
from sandbox.faults import Fault
from sandbox.flowhub.till_order import STATUSES
from sandbox.json_response import Json
from sandbox.received import parse_instant
from sandbox.runtime import Runtime
from sandbox.world.ids import to_us

VENDORS = ("aiq", "klaviyo", "webhook", "flowhub")


class Again(msgspec.Struct, forbid_unknown_fields=True):
    """What to send again, and how."""

    vendor: Literal["jane", "omni", "shopify", "storefront", "greeter"]
    manner: Manner = "true"
    count: int = 1


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    body = msgspec.json.decode(raw) if raw.strip() else {}
    if not isinstance(body, dict):
        raise TypeError("body: must be a JSON object")
    return body


def control_app(runtime: Runtime) -> FastAPI:
    """Return the app under ``/control``."""
    app = FastAPI(title="Sandbox control", openapi_url=None)

    @app.exception_handler(msgspec.MsgspecError)
    @app.exception_handler(ValueError)
    @app.exception_handler(TypeError)
    async def refused(request: Request, error: Exception) -> Response:
        del request
        return Json({"error": str(error)}, 422)

    _add_clock(app, runtime)
    _add_faults(app, runtime)
    _add_till(app, runtime)
    _add_limits(app, runtime)
    _add_emitters(app, runtime)
    _add_received(app, runtime)
    return app


def _add_clock(app: FastAPI, runtime: Runtime) -> None:
    def clock() -> dict[str, Any]:
        spec = runtime.spec
        return {
            "instant": runtime.clock.now().isoformat(),
            "running": runtime.clock_runs(),
            "history_start": spec.history_start.isoformat(),
            "window_start": spec.window_start.isoformat(),
            "window_end": spec.window_end.isoformat(),
            "horizon": spec.horizon.isoformat(),
        }

    @app.get("/clock")
    async def show_clock() -> Response:
        return Json(clock())

    @app.post("/clock")
    async def set_clock(request: Request) -> Response:
        body = await _body(request)
        instant = runtime.clock.now()
        if "instant" in body:
            instant = parse_instant(body["instant"])
        elif "advance_minutes" in body:
            instant += timedelta(minutes=float(body["advance_minutes"]))
        runtime.check_instant(instant)
        runtime.clock.set(instant, running=bool(body.get("running", False)))
        return Json(clock())


def _add_emitters(app: FastAPI, runtime: Runtime) -> None:
    @app.post("/emit")
    async def emit(request: Request) -> Response:
        """Send every webhook whose time has come: by default up to the clock, once each and in order."""
        body = await _body(request)
        now = runtime.clock.now()
        upto = parse_instant(body["upto"]) if body.get("upto") else now
        if upto > now:
            raise ValueError(f"upto: the clock has only reached {now.isoformat()}; set it first")
        mess = Mess(copies=int(body.get("copies", 1)), shuffled=bool(body.get("shuffled", False)))
        outcome = await runtime.outbox.emit(to_us(upto), mess)
        answer = {
            "delivered": outcome.delivered,
            "refused": outcome.refused,
            "failed": len(outcome.failed),
            "problem": outcome.problem if outcome.failed else "",
            "requests": outcome.requests,
            "seconds": round(outcome.seconds, 3),
            "upto": upto.isoformat(),
        }
        return Json(answer, 502 if outcome.failed else 200)

    @app.post("/send")
    async def send(request: Request) -> Response:
        """Send the last emissions of a vendor again: forged, unsigned, stale, or simply a second time."""
        wanted = msgspec.json.decode(await request.body(), type=Again)
        return Json({"statuses": await runtime.outbox.send_again(wanted.vendor, wanted.manner, wanted.count)})


def _add_faults(app: FastAPI, runtime: Runtime) -> None:
    @app.post("/faults")
    async def add_fault(request: Request) -> Response:
        runtime.faults.add(msgspec.json.decode(await request.body(), type=Fault))
        return Json({"waiting": runtime.faults.waiting()})

    @app.get("/faults")
    async def show_faults() -> Response:
        return Json({"waiting": runtime.faults.waiting()})

    @app.delete("/faults")
    async def clear_faults() -> Response:
        runtime.faults.clear()
        return Json({"waiting": []})

    @app.get("/flowhub")
    async def show_switches() -> Response:
        return Json(runtime.flowhub.switches)

    @app.post("/flowhub")
    async def set_switches(request: Request) -> Response:
        runtime.flowhub.switch(await _body(request))
        return Json(runtime.flowhub.switches)


def _add_till(app: FastAPI, runtime: Runtime) -> None:
    till = runtime.flowhub.till

    @app.get("/till")
    async def show_till() -> Response:
        return Json({"orders": till.orders})

    @app.post("/till/{order_id}")
    async def move(order_id: str, request: Request) -> Response:
        """Give a pushed order its next status, as the store's people do at the till."""
        order = till.find(order_id)
        if order is None:
            raise HTTPException(404, "no pushed order has this id")
        status = (await _body(request)).get("status")
        if status not in STATUSES:
            raise ValueError(f"status: must be one of {', '.join(STATUSES)}")
        till.move(order, status, to_us(runtime.clock.now()))
        return Json(order)


def _add_limits(app: FastAPI, runtime: Runtime) -> None:
    @app.post("/limits/aiq")
    async def limit_aiq(request: Request) -> Response:
        runtime.aiq.limit(await _body(request))
        return Json(runtime.aiq.limits)

    @app.post("/limits/klaviyo")
    async def limit_klaviyo(request: Request) -> Response:
        runtime.klaviyo.limit(await _body(request))
        return Json(runtime.klaviyo.limits)


def _add_received(app: FastAPI, runtime: Runtime) -> None:
    @app.get("/received/{vendor}")
    async def received(vendor: str, outcome: str | None = None, limit: int = 100_000) -> Response:
        if vendor not in VENDORS:
            raise HTTPException(404, f"vendor: must be one of {', '.join(VENDORS)}")
        return Json(
            {
                "vendor": vendor,
                "outcomes": runtime.received.outcomes(vendor),
                "accepted_events": runtime.received.accepted_events(vendor),
                "calls": runtime.received.calls(vendor, outcome, limit),
            }
        )

    @app.delete("/received")
    async def forget() -> Response:
        runtime.received.forget()
        runtime.klaviyo.forget()
        runtime.webhook.forget()
        return Json({})

    @app.get("/state")
    async def state() -> Response:
        served = [
            {"vendor": vendor, "method": method, "path": path, "outcome": outcome, "calls": calls}
            for (vendor, method, path, outcome), calls in sorted(runtime.received.served.items())
        ]
        return Json(
            {
                "instant": runtime.clock.now().isoformat(),
                "pid": os.getpid(),
                "world": {
                    "key": runtime.spec.key,
                    "customers": len(runtime.world.records),
                    "orders": len(runtime.world.orders.order_no),
                    "order_lines": int(runtime.world.orders.count.sum()),
                    "menu_items": len(runtime.world.menu),
                    "emissions": len(runtime.world.emissions),
                    "emitted": runtime.outbox.sent,
                },
                "served": served,
                "received": {vendor: runtime.received.outcomes(vendor) for vendor in VENDORS},
            }
        )
