"""Klaviyo's receiving end: events, events in bulk, profile import, deletion of a profile; the way to its reading end.

After its OpenAPI description (revision 2026-07-15): JSON:API envelopes and errors with a pointer, rate limits
per account with their headers, and deduplication of events by profile, metric and ``unique_id``.
"""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from sandbox.credentials import KLAVIYO_API_KEY, KLAVIYO_READ_API_KEY
from sandbox.json_response import Json
from sandbox.klaviyo_reading import BadParameterError, LoyaltyBook
from sandbox.limits import Limiter
from sandbox.received import Call, Received

EVENTS, BULK, IMPORT = "/api/events", "/api/event-bulk-create-jobs", "/api/profile-import"
DELETIONS = "/api/data-privacy-deletion-jobs"
READ_EVENTS, READ_METRICS = "GET /api/events", "GET /api/metrics"
LIMITS = {
    EVENTS: (350, 3500),
    BULK: (10, 150),
    IMPORT: (75, 750),
    DELETIONS: (3, 60),
    READ_EVENTS: (350, 3500),
    READ_METRICS: (10, 150),
}
"""(burst a second, steady a minute) of each operation."""

MOST_BYTES = 5 * 1024 * 1024
MOST_BYTES_OF_A_PROFILE = 100 * 1024
MOST_PROPERTIES = 400
MOST_BYTES_OF_A_TEXT = 100 * 1024
MOST_EVENTS_OF_A_JOB = 1000
LONGEST_METRIC = 127
FIRST_YEAR = 1990
IDENTIFIERS = ("email", "phone_number", "external_id", "anonymous_id", "_kx")
_REVISION = re.compile(r"20\d\d-\d\d-\d\d(\.pre)?")
_E164 = re.compile(r"\+[1-9]\d{7,14}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


Handler = Callable[[dict[str, Any]], tuple[str, str, Response]]
"""Takes ``data`` in; returns outcome, name and answer."""
Reading = Callable[[str, dict[str, str]], dict[str, Any]]
"""Takes an address and its parameters; returns the document."""
TOO_MANY_REQUESTS = 429


class Refused(Exception):  # noqa: N818 - named for what the vendor says
    """A call that the vendor refuses, with the place in the body."""

    def __init__(
        self, detail: str, where: str | dict[str, str], *, status: int = 400, code: str = "invalid"
    ) -> None:
        """Say what is wrong and where: a pointer into the body, or the source as it is to be written."""
        super().__init__(detail)
        self.detail, self.status, self.code = detail, status, code
        self.source = {"pointer": where} if isinstance(where, str) else where


class KlaviyoState:
    """The vendor's state: events and profiles that it recorded, and its limits."""

    def __init__(self, received: Received, book: LoyaltyBook) -> None:
        """Take up what was recorded before: deduplication outlives a restart."""
        self.received = received
        self.book = book
        self.limits: dict[str, tuple[int, int]] = dict(LIMITS)
        self.limiters: dict[str, Limiter] = {}
        self.limit({})
        self.events: set[tuple[str, str, str]] = set()
        self.profiles: dict[str, dict[str, Any]] = {}
        for body in received.bodies("klaviyo", "accepted"):
            self._recall(body)

    def limit(self, changes: dict[str, tuple[int, int]]) -> None:
        """Set (burst, steady) of operations, by path (``ValueError`` for another path)."""
        unknown = set(changes) - set(LIMITS)
        if unknown:
            raise ValueError(f"limits: {', '.join(sorted(unknown))} is unknown; use {', '.join(LIMITS)}")
        self.limits |= {path: (int(burst), int(steady)) for path, (burst, steady) in changes.items()}
        for path, (burst, steady) in self.limits.items():
            self.limiters[path] = Limiter((burst, 1), (steady, 60))

    def forget(self) -> None:
        """Drop every event and profile."""
        self.events.clear()
        self.profiles.clear()

    def _recall(self, body: object) -> None:
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict):
            return
        if data.get("type") == "event":
            self.record(read_event(data, "/data"))
        elif data.get("type") == "profile":
            self.profiles[identity(data["attributes"])] = data["attributes"]
        elif data.get("type") == "data-privacy-deletion-job":
            self.delete(read_deletion(data))
        elif data.get("type") == "event-bulk-create-job":
            for event in read_job(data):
                self.record(event)

    def delete(self, profile: str) -> None:
        """Forget a profile and its events."""
        self.profiles.pop(profile, None)
        self.events = {event for event in self.events if event[0] != profile}

    def record(self, event: "Event") -> bool:
        """Record an event; return whether it is new."""
        key = (event.profile, event.metric, event.unique_id)
        if key in self.events:
            return False
        self.events.add(key)
        return True


class Event(msgspec.Struct, frozen=True):
    """What of an event decides whether it is recorded."""

    profile: str
    metric: str
    unique_id: str


def klaviyo_app(state: KlaviyoState) -> FastAPI:
    """Return the vendor's app."""
    app = FastAPI(title="Klaviyo (sandbox)", openapi_url=None)

    def event(data: dict[str, Any]) -> tuple[str, str, Response]:
        read = read_event(data, "/data")
        return ("accepted" if state.record(read) else "duplicate"), read.metric, Response(status_code=202)

    def job(data: dict[str, Any]) -> tuple[str, str, Response]:
        events = read_job(data)
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
        body = {"data": {"type": "profile", "id": _profile_id(key), "attributes": kept}}
        return "accepted", "profile", Json(body, 200 if known else 201, media_type="application/vnd.api+json")

    def deletion(data: dict[str, Any]) -> tuple[str, str, Response]:
        state.delete(read_deletion(data))
        return "accepted", "deletion", Response(status_code=202)

    for path, handle in ((EVENTS, event), (BULK, job), (IMPORT, profile), (DELETIONS, deletion)):
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
            answer = _error(refused)
            if refused.status == TOO_MANY_REQUESTS:
                answer.headers["Retry-After"] = str(limiter.wait())
                return answer
        except BadParameterError as bad:
            answer = _error(Refused(bad.detail, {"parameter": bad.parameter}))
        else:
            answer = Json(document, media_type="application/vnd.api+json")
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
            reason, answer = refused.detail, _error(refused)
        text = raw.decode(errors="replace")
        state.received.keep("klaviyo", Call("POST", path, answer.status_code, outcome, reason, name, text))
        if outcome == "rate_limited":
            answer.headers["Retry-After"] = str(state.limiters[path].wait())
        else:
            for header, value in state.limiters[path].headers().items():
                answer.headers[header] = value
        return answer


def _error(refused: Refused) -> Response:
    error = {
        "id": str(uuid.uuid4()),
        "status": refused.status,
        "code": refused.code,
        "title": "Invalid input." if refused.code == "invalid" else refused.detail,
        "detail": refused.detail,
        "source": refused.source,
        "links": {},
        "meta": {},
    }
    return Json({"errors": [error]}, refused.status, media_type="application/vnd.api+json")


def _count(limiter: Limiter) -> None:
    if limiter.take():
        raise Refused("Request was throttled.", "/data/", status=429, code="throttled")


def _admit(request: Request, key: str) -> None:
    """Check the key, which is good for reading or for writing, and the revision."""
    authorization = request.headers.get("authorization", "")
    if not authorization.startswith("Klaviyo-API-Key "):
        raise Refused(
            "Authentication credentials were not provided.", "/data/", status=401, code="not_authenticated"
        )
    given = authorization.removeprefix("Klaviyo-API-Key ")
    if given not in {KLAVIYO_API_KEY, KLAVIYO_READ_API_KEY}:
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
    _admit(request, KLAVIYO_API_KEY)
    _count(state.limiters[path])
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind not in {"application/vnd.api+json", "application/json"}:
        raise Refused(
            f"Unsupported media type '{kind}'.", "/data/", status=415, code="unsupported_media_type"
        )
    if len(raw) > (MOST_BYTES_OF_A_PROFILE if path == IMPORT else MOST_BYTES):
        raise Refused("The payload is too large.", "/data/", status=413, code="payload_too_large")
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise Refused(f"JSON parse error - {error}", "/data/", code="parse_error") from None
    return _object(_object(body, "").get("data"), "/data")


def _object(value: object, pointer: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused("An object is required here.", pointer or "/")
    return value


def _typed(value: object, kind: str, pointer: str) -> dict[str, Any]:
    found = _object(value, pointer)
    if found.get("type") != kind:
        raise Refused(f"'type' must be '{kind}'.", f"{pointer}/type")
    return found


def read_event(value: object, pointer: str) -> Event:
    """Check an event with its profile; ``Refused`` names the place."""
    data = _typed(value, "event", pointer)
    attributes = _object(data.get("attributes"), f"{pointer}/attributes")
    where = f"{pointer}/attributes"
    holder = _object(attributes.get("profile"), f"{where}/profile")
    profile = read_profile(holder.get("data"), f"{where}/profile/data")
    metric, unique_id = _event_attributes(attributes, where)
    return Event(identity(profile), metric, unique_id)


def read_job(value: object) -> list[Event]:
    """Check a bulk job; a ``unique_id`` that comes twice for a profile and metric fails the whole job."""
    data = _typed(value, "event-bulk-create-job", "/data")
    where = "/data/attributes/events-bulk-create"
    groups = _object(
        _object(data.get("attributes"), "/data/attributes").get("events-bulk-create"), where
    ).get("data")
    if not isinstance(groups, list):
        raise Refused("A list is required here.", f"{where}/data")
    events: list[Event] = []
    for place, group in enumerate(groups):
        at = f"{where}/data/{place}"
        attributes = _object(_typed(group, "event-bulk-create", at).get("attributes"), f"{at}/attributes")
        holder = _object(attributes.get("profile"), f"{at}/attributes/profile")
        profile = identity(read_profile(holder.get("data"), f"{at}/attributes/profile/data"))
        own = _object(attributes.get("events"), f"{at}/attributes/events").get("data")
        for number, one in enumerate(own if isinstance(own, list) else []):
            inner = f"{at}/attributes/events/data/{number}"
            body = _object(_typed(one, "event", inner).get("attributes"), f"{inner}/attributes")
            metric, unique_id = _event_attributes(body, f"{inner}/attributes")
            event = Event(profile, metric, unique_id)
            if event in events:
                raise Refused(
                    "unique_id is repeated for the same profile and metric.", f"{inner}/attributes/unique_id"
                )
            events.append(event)
    if not 1 <= len(events) <= MOST_EVENTS_OF_A_JOB:
        raise Refused(f"A job takes 1 to {MOST_EVENTS_OF_A_JOB} events.", f"{where}/data")
    return events


def _event_attributes(attributes: dict[str, Any], where: str) -> tuple[str, str]:
    """Return metric name and unique id (without one: the time, cut to the second)."""
    properties = _object(attributes.get("properties"), f"{where}/properties")
    if len(properties) > MOST_PROPERTIES:
        raise Refused(f"An event has at most {MOST_PROPERTIES} properties.", f"{where}/properties")
    for key, text in properties.items():
        if isinstance(text, str) and len(text.encode()) > MOST_BYTES_OF_A_TEXT:
            raise Refused("A text is too long.", f"{where}/properties/{key}")
    metric = _typed(
        _object(attributes.get("metric"), f"{where}/metric").get("data"), "metric", f"{where}/metric/data"
    )
    name = _object(metric.get("attributes"), f"{where}/metric/data/attributes").get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_METRIC:
        raise Refused("A metric's name has 1 to 127 characters.", f"{where}/metric/data/attributes/name")
    value = attributes.get("value")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise Refused("'value' must be a number.", f"{where}/value")
    time = _time(attributes.get("time"), f"{where}/time")
    unique_id = attributes.get("unique_id")
    if unique_id is not None and not isinstance(unique_id, str):
        raise Refused("'unique_id' must be a string.", f"{where}/unique_id")
    return name, unique_id or time


def _time(value: object, pointer: str) -> str:
    if value is None:
        return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        raise Refused("'time' must be an ISO 8601 date and time.", pointer) from None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    if aware.year < FIRST_YEAR or aware > datetime.now(UTC) + timedelta(days=365):
        raise Refused("'time' must lie between 1990 and a year from now.", pointer)
    return f"{aware.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def read_profile(value: object, pointer: str) -> dict[str, Any]:
    """Check a profile; return its attributes, with its id among them where one is given."""
    data = _typed(value, "profile", pointer)
    attributes = dict(_object(data.get("attributes"), f"{pointer}/attributes"))
    if isinstance(data.get("id"), str):
        attributes["id"] = data["id"]
    if not any(attributes.get(name) for name in ("id", *IDENTIFIERS)):
        raise Refused(f"One of {', '.join(IDENTIFIERS)} is required.", f"{pointer}/attributes")
    email, phone = attributes.get("email"), attributes.get("phone_number")
    if email is not None and not _EMAIL.fullmatch(str(email)):
        raise Refused("Invalid email address.", f"{pointer}/attributes/email")
    if phone is not None and not _E164.fullmatch(str(phone)):
        raise Refused(
            "Invalid phone number format (Example of a valid format: +12345678901).",
            f"{pointer}/attributes/phone_number",
        )
    return attributes


def read_deletion(value: object) -> str:
    """Check a deletion job; return what the profile is known by. It takes exactly one identifier."""
    data = _typed(value, "data-privacy-deletion-job", "/data")
    where = "/data/attributes/profile"
    holder = _object(_object(data.get("attributes"), "/data/attributes").get("profile"), where)
    attributes = read_profile(holder.get("data"), f"{where}/data")
    if len([name for name in ("id", "email", "phone_number") if attributes.get(name)]) != 1:
        raise Refused("Exactly one of email, phone_number or id is required.", f"{where}/data/attributes")
    return identity(attributes)


def identity(attributes: dict[str, Any]) -> str:
    """Return what a profile is known by: its first identifier."""
    name = next(name for name in ("id", *IDENTIFIERS) if attributes.get(name))
    return f"{name}:{str(attributes[name]).strip().lower()}"


def _profile_id(key: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, key).hex[:26].upper()
