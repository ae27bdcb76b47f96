"""AIQ's receiving end: integrator events and custom attributes, as far as its public pages say.

Checked exactly: the ``X-APIKEY`` header, the required fields, the slug form, whole seconds, at least one
identifier. Nothing is deduplicated: a call that comes twice is two events. An attribute is set to a value, null clears
it. Where attributes are sent to, and that they name the persona by an identifier, is in no public text: chosen here.
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
ATTRIBUTES = "/api/v2/personas/customAttributes"
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
        # the attributes of each persona, by the first of its identifiers
        self.attributes: dict[str, dict[str, Any]] = {}
        for call in received.calls("aiq", "accepted"):
            if call["path"] == ATTRIBUTES:
                self.set_attributes(call["body"])

    def set_attributes(self, body: Any) -> None:  # noqa: ANN401 - as it was received
        """Set a persona's attributes; null clears one."""
        key = next(str(body[name]) for name in IDENTIFIERS if body.get(name))
        kept = self.attributes.setdefault(key, {})
        for attribute in body["customAttributes"]:
            if attribute["value"] is None:
                kept.pop(attribute["key"], None)
            else:
                kept[attribute["key"]] = attribute["value"]

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

    @app.put(ATTRIBUTES)
    async def attributes(request: Request) -> Response:
        """Set the attributes of one persona."""
        raw = await request.body()
        outcome, status, reason, body = _admit(state, request.headers.get("x-apikey"), raw)
        problem = _problem_of_attributes(body) if body is not None else ""
        if problem:
            outcome, status, reason = "rejected", 400, problem
        text = raw.decode(errors="replace")
        state.received.keep("aiq", Call("PUT", ATTRIBUTES, status, outcome, reason, "attributes", text))
        if outcome == "accepted":
            state.set_attributes(body)
            return Json({"success": True, "data": {}, "errors": []})
        return Json({"success": False, "code": status, "data": None, "errors": [{"message": reason}]}, status)

    return app


def _judge(state: AiqState, key: str | None, raw: bytes) -> tuple[str, int, str, str]:
    """Return outcome, status, reason and event name."""
    outcome, status, reason, body = _admit(state, key, raw)
    if body is None:
        return outcome, status, reason, ""
    name = body.get("eventName")
    problem = _problem(body)
    shown = name if isinstance(name, str) else ""
    return ("rejected", 400, problem, shown) if problem else ("accepted", 200, "", shown)


def _admit(state: AiqState, key: str | None, raw: bytes) -> tuple[str, int, str, dict[str, Any] | None]:
    """Return outcome, status and reason, and the body where there is nothing against the call so far."""
    if key is None:
        return "unauthorized", 401, "Please provide a valid API key", None
    if key != AIQ_API_KEY:
        return "unauthorized", 403, "Please provide a valid API key", None
    if state.limiter.take():
        return "rate_limited", 429, "Too many requests", None
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return "rejected", 400, "body: is not JSON", None
    if not isinstance(body, dict):
        return "rejected", 400, "body: must be one JSON object", None
    return "accepted", 200, "", body


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


def _problem_of_attributes(body: dict[str, Any]) -> str:
    """Return the first thing that is wrong with attributes; '' where nothing is."""
    given = [key for key in IDENTIFIERS if body.get(key) is not None]
    unknown = sorted(set(body) - {"customAttributes", *IDENTIFIERS})
    told = body.get("customAttributes")
    attributes = told if isinstance(told, list) else []
    are_pairs = all(isinstance(one, dict) and set(one) == {"key", "value"} for one in attributes)
    checks = (
        (not unknown, f"{', '.join(unknown)}: unknown field"),
        (given, "one of phone, email, contactID, srcID is required"),
        (
            all(isinstance(body[key], str) and body[key].strip() for key in given),
            "identifiers: must be non-empty strings",
        ),
        (attributes and are_pairs, "customAttributes: must be a list of key and value"),
        (
            not are_pairs or all(isinstance(one["key"], str) and one["key"] for one in attributes),
            "customAttributes: a key must be a text",
        ),
    )
    return next((message for holds, message in checks if not holds), "")
