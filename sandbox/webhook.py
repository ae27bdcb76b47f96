"""A receiver of signed webhooks, as Standard Webhooks tells receivers to be.

Checked in this order: the three headers, a timestamp within five minutes of the clock, one of the signatures against
the bytes that came, and the message itself. An id that was taken before is answered like the first time and kept as
``duplicate``. A batch is refused as a whole, or each of its messages is taken as if it had come alone. The signature is
computed here by hand, and not by the library that the sender uses.
"""

import base64
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers

from perennial.clock import Clock
from sandbox.credentials import WEBHOOK_SIGNING_SECRET
from sandbox.json_response import Json
from sandbox.limits import Limiter
from sandbox.received import Call, Received

EVENTS = "/events"
TOLERANCE = timedelta(minutes=5)
CALLS_A_SECOND = 200
BATCH = "perennial.batch"
_TYPES = ("enrollment.created", "enrollment.exited", "address.opted_out", "perennial.checked", BATCH)


class WebhookState:
    """The receiver's state: what it took, the secrets that it knows, and its limit."""

    def __init__(
        self, received: Received, clock: Clock, secrets: tuple[str, ...] = (WEBHOOK_SIGNING_SECRET,)
    ) -> None:
        """Take up what was taken before: an id is dropped after a restart, too."""
        self.received, self.clock, self.secrets = received, clock, secrets
        self.limiter = Limiter((CALLS_A_SECOND, 1))
        self.ids = {
            str(body["id"]) for body in received.bodies("webhook", "accepted") if isinstance(body, dict)
        }

    def forget(self) -> None:
        """Drop every id."""
        self.ids.clear()


def webhook_app(state: WebhookState) -> FastAPI:
    """Return the receiver's app."""
    app = FastAPI(title="A receiver of webhooks (sandbox)", openapi_url=None)

    @app.post(EVENTS)
    async def take(request: Request) -> Response:
        """Take one message, or a batch of them."""
        raw = await request.body()
        found = _judge(state, request.headers, raw)
        for told in found:
            state.received.keep("webhook", Call("POST", EVENTS, *told))
        status, outcome, reason = found[0][:3]
        answer = Json({"error": reason} if reason else {}, status)
        if outcome == "rate_limited":
            answer.headers["Retry-After"] = str(state.limiter.wait())
        return answer

    return app


_Told = tuple[int, str, str, str, str]


def _judge(state: WebhookState, headers: Headers, raw: bytes) -> list[_Told]:
    """Return status, outcome, reason, type and text of each message; of the whole call where nothing is taken."""
    text = raw.decode(errors="replace")
    if state.limiter.take():
        return [(429, "rate_limited", "too many calls", "", text)]
    if problem := _unproved(state, headers, raw):
        return [(401, "unauthorized", problem, "", text)]
    try:
        message = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return [(400, "rejected", "the body is not JSON", "", text)]
    if problem := _problem(message) or _problem_of_batch(message):
        return [(400, "rejected", problem, "", text)]
    if message["id"] != headers["webhook-id"]:
        return [(400, "rejected", "id: must be that of the header", "", text)]
    messages = message["data"]["messages"] if message["type"] == BATCH else [message]
    return [_taken(state, one) for one in messages]


def _taken(state: WebhookState, message: Mapping[str, Any]) -> _Told:
    outcome = "duplicate" if message["id"] in state.ids else "accepted"
    state.ids.add(message["id"])
    return 200, outcome, "", message["type"], msgspec.json.encode(message).decode()


def _unproved(state: WebhookState, headers: Headers, raw: bytes) -> str:
    """Return why nobody could tell who sent this and when; '' where it is certain."""
    message_id, stamp, signatures = (
        headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature")
    )
    if not message_id or not stamp or not signatures:
        return "webhook-id, webhook-timestamp and webhook-signature are required"
    if not stamp.isdecimal() or abs(int(stamp) - state.clock.now().timestamp()) > TOLERANCE.total_seconds():
        return "webhook-timestamp: more than five minutes away"
    told = [signature.removeprefix("v1,") for signature in signatures.split() if signature.startswith("v1,")]
    known = [_signature(secret, message_id, stamp, raw) for secret in state.secrets]
    if not any(hmac.compare_digest(one, other) for one in told for other in known):
        return "webhook-signature: none of them is ours"
    return ""


def _signature(secret: str, message_id: str, stamp: str, raw: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return base64.b64encode(hmac.digest(key, f"{message_id}.{stamp}.".encode() + raw, "sha256")).decode()


def _problem(message: Any) -> str:  # noqa: ANN401  # whatever JSON holds
    """Return the first thing that is wrong with a message; '' where nothing is."""
    if not isinstance(message, dict):
        return "the body must be one JSON object"
    checks = (
        (isinstance(message.get("id"), str), "id: must be a text"),
        (message.get("type") in _TYPES, f"type: must be one of {', '.join(_TYPES)}"),
        (isinstance(message.get("timestamp"), str), "timestamp: must be an RFC 3339 instant"),
        (isinstance(message.get("data"), dict), "data: must be an object"),
    )
    return next((problem for holds, problem in checks if not holds), "")


def _problem_of_batch(message: Mapping[str, Any]) -> str:
    """Return the first thing that is wrong with one of several messages."""
    if message["type"] != BATCH:
        return ""
    messages = message["data"].get("messages")
    if not isinstance(messages, list) or not messages:
        return "data.messages: must be a list with something in it"
    problems = (
        _problem(one) or ("type: a batch in a batch" if one["type"] == BATCH else "") for one in messages
    )
    found = ((place, problem) for place, problem in enumerate(problems) if problem)
    return next((f"data.messages[{place}].{problem}" for place, problem in found), "")
