"""AIQ's receiving end: integrator events, as far as its public pages say.

Checked exactly: the ``X-APIKEY`` header, the required fields, the slug form, whole seconds, at least one
identifier. Nothing is deduplicated: a call that comes twice is two events.
"""

import re
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from sandbox.credentials import AIQ_API_KEY, AIQ_INTEGRATOR_SLUG
from sandbox.json_response import Json
from sandbox.limits import Limiter
from sandbox.received import Call, Received

INGEST = "/api/v2/integrators/events/ingest"
IDENTIFIERS = ("phone", "email", "contactID", "srcID")
_SLUG = re.compile(r"[a-z0-9_]+")
_KNOWN = {"integratorSlug", "eventName", "eventDisplayName", "timestamp", "event", *IDENTIFIERS}

DEMO_LIMITS = {"per_second": 50, "per_minute": 1200, "per_hour": 20_000}
"""Ten times what clients report of the real one (5, 120, 2,000), so that a demo's push takes seconds."""


class AiqState:
    """The vendor's state: what it received and its limits."""

    def __init__(self, received: Received) -> None:
        """Start with the demo's limits."""
        self.received = received
        self.limits: dict[str, int] = dict(DEMO_LIMITS)
        self.limiter = Limiter()
        self.limit(DEMO_LIMITS)

    def limit(self, changes: dict[str, int]) -> None:
        """Set limits by name (``ValueError`` for another)."""
        unknown = set(changes) - set(DEMO_LIMITS)
        if unknown:
            raise ValueError(f"limits: {', '.join(sorted(unknown))} is unknown; use {', '.join(DEMO_LIMITS)}")
        self.limits |= changes
        spans = zip(self.limits.values(), (1, 60, 3600), strict=True)
        self.limiter = Limiter(*spans)


def aiq_app(state: AiqState) -> FastAPI:
    """Return the vendor's app."""
    app = FastAPI(title="AIQ (sandbox)", openapi_url=None)

    @app.post(INGEST)
    async def ingest(request: Request) -> Response:
        """Take one event."""
        raw = await request.body()
        outcome, status, reason, name = _judge(state, request.headers.get("x-apikey"), raw)
        text = raw.decode(errors="replace")
        state.received.keep("aiq", Call("POST", INGEST, status, outcome, reason, name, text))
        if outcome == "accepted":
            return Json({"success": True, "data": {}, "errors": []})
        return Json({"success": False, "code": status, "data": None, "errors": [{"message": reason}]}, status)

    return app


def _judge(state: AiqState, key: str | None, raw: bytes) -> tuple[str, int, str, str]:
    """Return outcome, status, reason and event name."""
    if key is None:
        return "unauthorized", 401, "Please provide a valid API key", ""
    if key != AIQ_API_KEY:
        return "unauthorized", 403, "Please provide a valid API key", ""
    if state.limiter.take():
        return "rate_limited", 429, "Too many requests", ""
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return "rejected", 400, "body: is not JSON", ""
    if not isinstance(body, dict):
        return "rejected", 400, "body: must be one JSON object", ""
    name = body.get("eventName")
    problem = _problem(body)
    shown = name if isinstance(name, str) else ""
    return ("rejected", 400, problem, shown) if problem else ("accepted", 200, "", shown)


def _problem(body: dict[str, Any]) -> str:
    """Return the first thing that is wrong with an event; '' where nothing is."""
    name, display = body.get("eventName"), body.get("eventDisplayName")
    timestamp = body.get("timestamp")
    given = [key for key in IDENTIFIERS if body.get(key) is not None]
    unknown = sorted(set(body) - _KNOWN)
    checks = (
        (not unknown, f"{', '.join(unknown)}: unknown field"),
        (body.get("integratorSlug") == AIQ_INTEGRATOR_SLUG, "integratorSlug: unknown integrator"),
        (isinstance(name, str) and _SLUG.fullmatch(name), "eventName: must be a slug of a-z, 0-9 and _"),
        (display is None or isinstance(display, str), "eventDisplayName: must be a string"),
        (type(timestamp) is int and 0 < timestamp < 10**11, "timestamp: must be unix seconds, an integer"),
        (isinstance(body.get("event"), dict), "event: must be a JSON object"),
        (given, "one of phone, email, contactID, srcID is required"),
        (
            all(isinstance(body[key], str) and body[key].strip() for key in given),
            "identifiers: must be non-empty strings",
        ),
    )
    return next((message for holds, message in checks if not holds), "")
