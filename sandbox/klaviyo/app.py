"""Klaviyo: its receiving end (events, profiles, lists, alone and in bulk, deletion, suppression), its reading end.

After its OpenAPI description (revision 2026-07-15): JSON:API envelopes and errors with a pointer, rate limits
per account with their headers, and deduplication of events by profile, metric and ``unique_id``.
"""

import re
from collections.abc import Callable
from functools import partial
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
    JOBS,
    LISTS,
    READ_ERRORS,
    READ_EVENTS,
    READ_JOB,
    READ_JOBS,
    READ_LIST,
    READ_METRICS,
    REMOVE,
    SUPPRESSIONS,
    KlaviyoState,
)
from sandbox.limits import Limiter
from sandbox.received import Call

MOST_BYTES = 5 * 1024 * 1024
MOST_BYTES_OF_A_PROFILE = 100 * 1024
_OUTCOMES = {401: "unauthorized", 403: "unauthorized", 429: "rate_limited"}
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
        state.directory.advance()
        kept, known = state.directory.import_one(attributes, data.get("meta"))
        profile_id = profile_id_of(identity(attributes))
        body = {"data": {"type": "profile", "id": profile_id, "attributes": kept}}
        return "accepted", "profile", Json(body, 200 if known else 201, media_type=JSON_API)

    def deletion(data: dict[str, Any]) -> tuple[str, str, Response]:
        state.delete(read_deletion(data))
        return "accepted", "deletion", Response(status_code=202)

    def suppression(data: dict[str, Any]) -> tuple[str, str, Response]:
        state.suppressed.update(read_suppression(data))
        return "accepted", "suppression", Response(status_code=202)

    def profile_job(data: dict[str, Any]) -> tuple[str, str, Response]:
        begun = state.directory.begin(data)
        document = state.directory.job(begun.job_id, f"{JOBS}/{begun.job_id}")
        return "accepted", "profiles", Json(document, 202, media_type=JSON_API)

    handlers: dict[str, Handler] = {
        EVENTS: event, BULK: job, IMPORT: profile, DELETIONS: deletion, JOBS: profile_job,
        SUPPRESSIONS: suppression,
    }  # fmt: skip
    for path, handle in handlers.items():
        _add(app, state, path, handle)
    _add_lists(app, state)
    _add_reading(app, state)
    return app


def _add_lists(app: FastAPI, state: KlaviyoState) -> None:
    @app.delete(LISTS + "/{list_id}/relationships/profiles")
    async def remove(list_id: str, request: Request) -> Response:
        raw = await request.body()
        limiter = state.limiters[REMOVE]
        outcome, reason = "accepted", ""
        answer = Response(status_code=204)
        try:
            _admit(request, KLAVIYO_API_KEY)
            _count(limiter)
            state.directory.remove(list_id, _data(raw))
        except Refused as refused:
            outcome = _OUTCOMES.get(refused.status, "rejected")
            reason, answer = refused.detail, answer_of(refused)
        path = f"{LISTS}/{list_id}/relationships/profiles"
        call = Call(
            "DELETE", path, answer.status_code, outcome, reason, "removal", raw.decode(errors="replace")
        )
        state.received.keep("klaviyo", call)
        return _with_limits(answer, limiter)


def _with_limits(answer: Response, limiter: Limiter) -> Response:
    if answer.status_code == TOO_MANY_REQUESTS:
        answer.headers["Retry-After"] = str(limiter.wait())
    else:
        answer.headers.update(limiter.headers())
    return answer


def _add_reading(app: FastAPI, state: KlaviyoState) -> None:
    @app.get("/api/metrics")
    async def metrics(request: Request) -> Response:
        return _read(state, request, READ_METRICS, state.book.metrics, KLAVIYO_READ_API_KEY)

    @app.get("/api/events")
    async def events(request: Request) -> Response:
        return _read(state, request, READ_EVENTS, state.book.events, KLAVIYO_READ_API_KEY)

    directory = state.directory

    @app.get(JOBS)
    async def jobs(request: Request) -> Response:
        return _read(state, request, READ_JOBS, directory.all_jobs, KLAVIYO_API_KEY)

    @app.get(JOBS + "/{job_id}")
    async def job(job_id: str, request: Request) -> Response:
        return _read(state, request, READ_JOB, partial(directory.job, job_id), KLAVIYO_API_KEY)

    @app.get(JOBS + "/{job_id}/import-errors")
    async def errors(job_id: str, request: Request) -> Response:
        return _read(state, request, READ_ERRORS, partial(directory.import_errors, job_id), KLAVIYO_API_KEY)

    @app.get(LISTS + "/{list_id}/profiles")
    async def list_profiles(list_id: str, request: Request) -> Response:
        return _read(state, request, READ_LIST, partial(directory.list_profiles, list_id), KLAVIYO_API_KEY)


def _read(state: KlaviyoState, request: Request, operation: str, read: Reading, key: str) -> Response:
    limiter = state.limiters[operation]
    try:
        _admit(request, key)
        _count(limiter)
        document = read(str(request.url.replace(query="")), dict(request.query_params))
    except Refused as refused:
        answer = answer_of(refused)
    except BadParameterError as bad:
        answer = answer_of(Refused(bad.detail, {"parameter": bad.parameter}))
    else:
        answer = Json(document, media_type=JSON_API)
    return _with_limits(answer, limiter)


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
            outcome = _OUTCOMES.get(refused.status, "rejected")
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
    return as_object(_data(raw), "/data")


def _data(raw: bytes) -> object:
    """Return ``data`` of a body."""
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise Refused(f"JSON parse error - {error}", "/data/", code="parse_error") from None
    return as_object(body, "").get("data")
