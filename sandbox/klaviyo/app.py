"""Klaviyo: its receiving end (events, alone and in bulk, profiles, their deletion and suppression), its reading end.

After its OpenAPI description (revision 2026-07-15): JSON:API envelopes and errors with a pointer, rate limits
per account with their headers, and deduplication of events by profile, metric and ``unique_id``.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from sandbox.credentials import KLAVIYO_API_KEY, KLAVIYO_READ_API_KEY, KLAVIYO_SUPPRESSION_API_KEY
from sandbox.json_response import Json
from sandbox.klaviyo.asked import BadParameterError
from sandbox.klaviyo.bodies import (
    JOBS_EVENTS,
    as_object,
    identity,
    profile_id_of,
    read_deletion,
    read_event,
    read_job,
    read_profile,
    read_suppression,
)
from sandbox.klaviyo.refused import JSON_API, TOO_MANY_REQUESTS, Refused, answer_of
from sandbox.klaviyo.state import (
    BULK,
    DELETIONS,
    EVENTS,
    IMPORT,
    READ_EVENTS,
    READ_METRICS,
    SUPPRESSIONS,
    KlaviyoState,
)
from sandbox.limits import Limiter
from sandbox.received import Call

MOST_BYTES = 5 * 1024 * 1024
MOST_BYTES_OF_A_PROFILE = 100 * 1024
_REVISION = re.compile(r"20\d\d-\d\d-\d\d(\.pre)?")

Handler = Callable[[dict[str, Any]], tuple[str, str, Response]]
"""Takes ``data`` in; returns outcome, name and answer."""
Reading = Callable[[str, dict[str, str]], dict[str, Any]]
"""Takes an address and its parameters; returns the document."""


def klaviyo_app(state: KlaviyoState) -> FastAPI:
    """Return the vendor's app."""
    app = FastAPI(title="Klaviyo (sandbox)", openapi_url=None)

    def event(data: dict[str, Any]) -> tuple[str, str, Response]:
        read = read_event(data, "/data")
        return ("accepted" if state.record(read) else "duplicate"), read.metric, Response(status_code=202)

    def job(data: dict[str, Any]) -> tuple[str, str, Response]:
        events = read_job(data)
        # Klaviyo's document leaves open whether an id of an earlier request counts; here it does.
        if state.events.intersection((read.profile, read.metric, read.unique_id) for read in events):
            raise Refused("unique_id is repeated for the same profile and metric.", JOBS_EVENTS)
        for read in events:
            state.record(read)
        return "accepted", ",".join(sorted({read.metric for read in events})), Response(status_code=202)

    def profile(data: dict[str, Any]) -> tuple[str, str, Response]:
        attributes = read_profile(data, "/data")
        key = identity(attributes)
        known = key in state.profiles
        kept = state.profiles.setdefault(key, {})
        kept |= {name: value for name, value in attributes.items() if name != "properties"}
        kept["properties"] = {**kept.get("properties", {}), **(attributes.get("properties") or {})}
        body = {"data": {"type": "profile", "id": profile_id_of(key), "attributes": kept}}
        return "accepted", "profile", Json(body, 200 if known else 201, media_type=JSON_API)

    def deletion(data: dict[str, Any]) -> tuple[str, str, Response]:
        state.delete(read_deletion(data))
        return "accepted", "deletion", Response(status_code=202)

    def suppression(data: dict[str, Any]) -> tuple[str, str, Response]:
        state.suppressed.update(read_suppression(data))
        return "accepted", "suppression", Response(status_code=202)

    handlers: tuple[tuple[str, Handler], ...] = (
        (EVENTS, event),
        (BULK, job),
        (IMPORT, profile),
        (DELETIONS, deletion),
        (SUPPRESSIONS, suppression),
    )
    for path, handle in handlers:
        _add(app, state, path, handle)
    _add_reading(app, state)
    return app


def _add_reading(app: FastAPI, state: KlaviyoState) -> None:
    def answer(request: Request, operation: str, read: Reading) -> Response:
        limiter = state.limiters[operation]
        try:
            _admit(request, KLAVIYO_READ_API_KEY)
            _count(limiter)
            document = read(str(request.url.replace(query="")), dict(request.query_params))
        except Refused as refused:
            answer = answer_of(refused)
            if refused.status == TOO_MANY_REQUESTS:
                answer.headers["Retry-After"] = str(limiter.wait())
                return answer
        except BadParameterError as bad:
            answer = answer_of(Refused(bad.detail, {"parameter": bad.parameter}))
        else:
            answer = Json(document, media_type=JSON_API)
        answer.headers.update(limiter.headers())
        return answer

    @app.get("/api/metrics")
    async def metrics(request: Request) -> Response:
        return answer(request, READ_METRICS, state.book.metrics)

    @app.get("/api/events")
    async def events(request: Request) -> Response:
        return answer(request, READ_EVENTS, state.book.events)


def _add(app: FastAPI, state: KlaviyoState, path: str, handle: Handler) -> None:
    @app.post(path)
    async def take(request: Request) -> Response:
        raw = await request.body()
        name = ""
        try:
            data = _open(state, request, path, raw)
            outcome, name, answer = handle(data)
            reason = ""
        except Refused as refused:
            outcome = {401: "unauthorized", 403: "unauthorized", 429: "rate_limited"}.get(
                refused.status, "rejected"
            )
            reason, answer = refused.detail, answer_of(refused)
        text = raw.decode(errors="replace")
        state.received.keep("klaviyo", Call("POST", path, answer.status_code, outcome, reason, name, text))
        if outcome == "rate_limited":
            answer.headers["Retry-After"] = str(state.limiters[path].wait())
        else:
            for header, value in state.limiters[path].headers().items():
                answer.headers[header] = value
        return answer


def _count(limiter: Limiter) -> None:
    if limiter.take():
        raise Refused("Request was throttled.", "/data/", status=429, code="throttled")


def _admit(request: Request, key: str) -> None:
    """Check the key, which is good for reading, writing or suppressing, and the revision."""
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith("Klaviyo-API-Key "):
        raise Refused(
            "Authentication credentials were not provided.", "/data/", status=401, code="not_authenticated"
        )
    given = authorization.removeprefix("Klaviyo-API-Key ")
    if given not in {KLAVIYO_API_KEY, KLAVIYO_READ_API_KEY, KLAVIYO_SUPPRESSION_API_KEY}:
        raise Refused(
            "Incorrect authentication credentials.", "/data/", status=401, code="authentication_failed"
        )
    if given != key:
        raise Refused(
            "Missing required scopes for this endpoint.", "/data/", status=403, code="permission_denied"
        )
    if not _REVISION.fullmatch(request.headers.get("revision", "")):
        raise Refused("The revision header must be a date, YYYY-MM-DD.", "/data/", code="invalid_revision")


def _open(state: KlaviyoState, request: Request, path: str, raw: bytes) -> dict[str, Any]:
    """Check headers, limits and envelope; return ``data``."""
    # only a key with the scope subscriptions:write may suppress
    _admit(request, KLAVIYO_SUPPRESSION_API_KEY if path == SUPPRESSIONS else KLAVIYO_API_KEY)
    _count(state.limiters[path])
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind not in {JSON_API, "application/json"}:
        raise Refused(
            f"Unsupported media type '{kind}'.", "/data/", status=415, code="unsupported_media_type"
        )
    if len(raw) > (MOST_BYTES_OF_A_PROFILE if path == IMPORT else MOST_BYTES):
        raise Refused("The payload is too large.", "/data/", status=413, code="payload_too_large")
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise Refused(f"JSON parse error - {error}", "/data/", code="parse_error") from None
    return as_object(as_object(body, "").get("data"), "/data")
