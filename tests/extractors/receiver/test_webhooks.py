"""Every route against a real server: what is kept, what is refused and why."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from extractors.receiver.signatures import jane_signature, shopify_signature
from perennial.settings import Settings
from tests.extractors.receiver.serving import NOW, Receiver, landed, make_settings, rows, serving

CART = b'{"cart":{"id":7469,"status":"ready_for_pickup", "customer_name":"Dana Reyes","amount":41.80}}'
SHOPIFY = b'{"admin_graphql_api_customer_kept_id":"gid://shopify/Customer/1"}'
OMNI = {
    "event": "wv/points/added",
    "event_id": "omni-1",
    "occurred_at": "2017-03-01T11:59:00Z",
    "customer": {"id": 706405506930370084},
    "properties": {"value": 35},
}
EVENT = {"event_id": "e1", "event_name": "viewed_product", "occurred_at": "2017-03-01T12:00:00Z"}
FEEDBACK = {
    "event_id": "m1",
    "type": "stop",
    "occurred_at": "2017-03-01T12:00:00Z",
    "channel": "sms",
    "address": "+13035550142",
}


def jane_headers(
    body: bytes, *, key: str = "jane_test_signing_secret", at: float | None = None
) -> dict[str, str]:
    """Return the headers of a webhook that Jane signs."""
    timestamp = str(int(NOW.timestamp() if at is None else at))
    return {
        "Authorization": "Bearer sandbox-jane-token",
        "X-Jane-Request-Timestamp": timestamp,
        "X-Jane-Signature": jane_signature(key, timestamp, body),
    }


def shopify_headers(body: bytes, **more: str) -> dict[str, str]:
    """Return the headers of a webhook that Shopify signs."""
    return {
        "X-Shopify-Hmac-SHA256": shopify_signature("shopify_test_client_secret", body),
        "X-Shopify-Topic": "customers/merge",
        "X-Shopify-Shop-Domain": "demo.myshopify.com",
        "X-Shopify-Webhook-Id": "w-1",
        **more,
    }


def good_requests() -> dict[str, tuple[str, bytes, dict[str, str]]]:
    """Return one right request for each route."""
    return {
        "jane/cart_status": ("/webhooks/jane/cart-status", CART, jane_headers(CART)),
        "jane/cart_abandoned": ("/webhooks/jane/cart-abandoned", CART, jane_headers(CART)),
        "omni/events": ("/webhooks/omni", json.dumps(OMNI).encode(), {"X-Perennial-Secret": "omni-secret"}),
        "shopify/webhooks": ("/webhooks/shopify/customers/merge", SHOPIFY, shopify_headers(SHOPIFY)),
        "partners/events": ("/v1/events", json.dumps(EVENT).encode(), {"X-API-Key": "key-of-acme"}),
        "messaging/feedback": (
            "/webhooks/messaging",
            json.dumps(FEEDBACK).encode(),
            {"X-Perennial-Secret": "messaging-secret"},
        ),
    }


def _refused(
    receiver: Receiver, status: int, path: str, body: bytes | str, headers: dict[str, str]
) -> dict[str, Any]:
    """Send what must be refused, and return the reason."""
    answer = receiver.post(path, body, headers)
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    assert {"error", "reason", "fix"} <= problem.keys()
    return problem


def test_each_source_lands_as_it_was_sent(settings: Settings) -> None:
    """Text, key, allow-listed headers and the clock's instant; no secret anywhere."""
    with serving(settings) as receiver:
        for path, body, headers in good_requests().values():
            answer = receiver.post(path, body, {**headers, "X-Other": "not-kept"})
            assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    digest = hashlib.sha256(b"1488369600:" + CART).hexdigest()
    expected = {
        "jane/cart_status": (f"{digest}:cart_status", {"X-Jane-Request-Timestamp": "1488369600"}),
        "jane/cart_abandoned": (f"{digest}:cart_abandoned", {"X-Jane-Request-Timestamp": "1488369600"}),
        "omni/events": ("omni-1", {}),
        "shopify/webhooks": (
            "w-1",
            {
                "X-Shopify-Topic": "customers/merge",
                "X-Shopify-Shop-Domain": "demo.myshopify.com",
                "X-Shopify-Webhook-Id": "w-1",
            },
        ),
        "partners/events": ("acme:e1", {"partner": "acme"}),
        "messaging/feedback": ("m1", {}),
    }
    for name, (_, body, _) in good_requests().items():
        [record] = landed(settings, *name.split("/"))
        assert record.payload == body.decode()
        assert (record.source_key, dict(record.headers)) == expected[name]
        assert record.received_at == NOW


def test_a_forged_or_unsigned_request_is_refused_counted_and_nothing_lands(settings: Settings) -> None:
    """Whatever is wrong: no header, another's signature, a changed body, a wrong key."""
    forged: list[tuple[str, bytes, dict[str, str]]] = []
    for path, body, headers in good_requests().values():
        forged.append((path, body, {}))
        for name in headers:
            if name not in ("X-Shopify-Topic", "X-Shopify-Shop-Domain", "X-Shopify-Webhook-Id"):
                forged.append((path, body, {**headers, name: "forged"}))
                forged.append((path, body, {key: value for key, value in headers.items() if key != name}))
        if "Signature" in str(headers) or "Hmac" in str(headers):
            forged.append((path, body + b" ", headers))
    older = jane_headers(CART, at=0)
    now = jane_headers(CART)
    forged.append(
        ("/webhooks/jane/cart-status", CART, {**now, "X-Jane-Signature": older["X-Jane-Signature"]})
    )
    forged.append(("/webhooks/jane/cart-status", CART, jane_headers(CART, key="another")))
    with serving(settings) as receiver:
        for path, body, headers in forged:
            problem = _refused(receiver, 401, path, body, headers)
            assert problem["error"] == "unauthorized"
        figures = receiver.client.get("/metrics").text
    assert 'perennial_receiver_refused_total{source="jane",status="401"}' in figures
    assert rows(settings) == 0


def test_the_previous_jane_secret_is_good_too(settings: Settings) -> None:
    """While Jane rotates a secret webhooks come with either."""
    with serving(settings) as receiver:
        headers = jane_headers(CART, key="jane_older_secret")
        assert receiver.post("/webhooks/jane/cart-status", CART, headers).is_success
    assert len(landed(settings, "jane", "cart_status")) == 1


def test_an_old_timestamp_with_a_right_signature_is_kept_and_marked(settings: Settings) -> None:
    """Old and repeated deliveries are normal; deduplication is not the receiver's."""
    with serving(settings) as receiver:
        for at in (NOW.timestamp() - 299, NOW.timestamp() - 301, NOW.timestamp() - 86400):
            assert receiver.post("/webhooks/jane/cart-status", CART, jane_headers(CART, at=at)).is_success
        assert 'perennial_receiver_stale_total{source="jane"} 2.0' in receiver.client.get("/metrics").text
    records = landed(settings, "jane", "cart_status")
    assert [record.headers.get("stale") for record in records] == [None, "true", "true"]
    assert len({record.source_key for record in records}) == 3  # the same cart at another instant is news


def test_duplicates_land(settings: Settings) -> None:
    """The log keeps every delivery; the source key lets models take one."""
    with serving(settings) as receiver:
        for _ in range(3):
            for path, body, headers in good_requests().values():
                assert receiver.post(path, body, headers).is_success
    for name in good_requests():
        records = landed(settings, *name.split("/"))
        assert (len(records), len({record.source_key for record in records})) == (3, 1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", None),
        (b"[]", None),
        (b"\xff\xfe", None),
        (b"", None),
        (b'{"cart": NaN}', None),
        (b"{}", "cart"),
        (b'{"cart":"Dana Reyes"}', "cart"),
        (b'{"cart":{"status":"verification"}}', "cart.id"),
        (b'{"cart":{"id":7}}', "cart.status"),
        (b'{"cart":{"id":7,"status":null}}', "cart.status"),
        (b'{"cart":{"id":7,"status":["Dana Reyes"]}}', "cart.status"),
    ],
)
def test_a_malformed_webhook_is_refused_with_a_reason_and_nothing_lands(
    settings: Settings, body: bytes, field: str | None
) -> None:
    """The reason names the field and never what it held."""
    with serving(settings) as receiver:
        problem = _refused(receiver, 422, "/webhooks/jane/cart-status", body, jane_headers(body))
    assert problem.get("field") == field
    assert "Dana" not in json.dumps(problem)
    assert rows(settings) == 0


@pytest.mark.parametrize("key", ["event", "event_id", "occurred_at", "customer"])
def test_an_omni_event_without_a_key_of_the_envelope_is_refused(settings: Settings, key: str) -> None:
    """The template that sends it must be mended; the field says where."""
    body = json.dumps({name: value for name, value in OMNI.items() if name != key})
    with serving(settings) as receiver:
        problem = _refused(receiver, 422, "/webhooks/omni", body, {"X-Perennial-Secret": "omni-secret"})
    assert problem["field"] == key
    assert rows(settings) == 0


def test_shopify_topics_come_from_the_header_or_the_path(settings: Settings) -> None:
    """Both forms that Shopify uses, and nothing that is no topic."""
    with serving(settings) as receiver:
        headers = shopify_headers(SHOPIFY)
        del headers["X-Shopify-Topic"]
        assert receiver.post("/webhooks/shopify/customer.tags_added", SHOPIFY, headers).is_success
        headers = shopify_headers(SHOPIFY, **{"X-Shopify-Topic": "customers/update"})
        assert receiver.post("/webhooks/shopify/all", SHOPIFY, headers).is_success
        headers = shopify_headers(SHOPIFY, **{"X-Shopify-Topic": "no topic!"})
        _refused(receiver, 422, "/webhooks/shopify/all", SHOPIFY, headers)
    topics = [record.headers["X-Shopify-Topic"] for record in landed(settings, "shopify", "webhooks")]
    assert topics == ["customer.tags_added", "customers/update"]


def test_of_a_list_the_good_events_are_kept_and_the_bad_come_back(settings: Settings) -> None:
    """One record an event, each with its own text; the bad ones with index, field and reason."""
    second = '{"event_id": "e2",  "event_name":"my_thing","occurred_at":"2017-03-01T12:00:00Z","customer":{}}'
    body = f'[{json.dumps(EVENT)}, {second}, {{"event_id":"e3"}}, 5]'
    with serving(settings) as receiver:
        answer = receiver.post("/v1/events", body, {"X-API-Key": "key:of:other"})
        bad = _refused(receiver, 422, "/v1/events", "[1, 2]", {"X-API-Key": "key-of-acme"})
        assert receiver.post("/v1/events", "[]", {"X-API-Key": "key-of-acme"}).json() == {
            "accepted": 0,
            "rejected": [],
        }
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 2
    rejected = [(item["index"], item.get("field")) for item in answer.json()["rejected"]]
    assert rejected == [
        (2, "event_name"),
        (3, None),
    ]
    assert "index 0" in bad["reason"]
    records = landed(settings, "partners", "events")
    assert [record.payload for record in records] == [json.dumps(EVENT), second]
    assert [record.source_key for record in records] == ["other:e1", "other:e2"]


def test_a_thousand_events_are_taken_and_one_more_is_not(settings: Settings) -> None:
    """Nothing of a list that is too long lands."""
    events = [{**EVENT, "event_id": f"e{number}"} for number in range(1_001)]
    with serving(settings) as receiver:
        _refused(receiver, 413, "/v1/events", json.dumps(events), {"X-API-Key": "key-of-acme"})
        answer = receiver.post("/v1/events", json.dumps(events[:1000]), {"X-API-Key": "key-of-acme"})
        assert answer.json()["accepted"] == 1_000
    assert len(landed(settings, "partners", "events")) == 1_000


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_the_limit_is_refused(settings: Settings, *, announced: bool) -> None:
    """Whether its length is announced or it comes in pieces."""
    body = b'{"cart":{"id":7,"status":"' + b"x" * (1024 * 1024) + b'"}}'
    with serving(settings) as receiver:
        headers = jane_headers(body)
        content: Any = body if announced else iter([body[:600_000], body[600_000:]])
        answer = receiver.client.post("/webhooks/jane/cart-status", content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (413, "too_large")
        assert receiver.post("/webhooks/jane/cart-status", CART, jane_headers(CART)).is_success
    assert rows(settings) == 1


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("jane/cart_status", "jane_webhook_token"),
        ("jane/cart_status", "jane_signing_secret"),
        ("omni/events", "omni_shared_secret"),
        ("shopify/webhooks", "shopify_client_secret"),
        ("partners/events", "partner_api_keys"),
        ("messaging/feedback", "messaging_webhook_secret"),
    ],
)
def test_a_source_without_its_secret_answers_503_and_names_the_setting(
    tmp_path: Path, name: str, setting: str
) -> None:
    """The sender keeps its payload and sends it again; the others work."""
    settings = make_settings(tmp_path, **{setting: () if setting == "partner_api_keys" else None})
    path, body, headers = good_requests()[name]
    with serving(settings) as receiver:
        problem = _refused(receiver, 503, path, body, headers)
        others = [other for other in good_requests() if not other.startswith(name.partition("/")[0])]
        for other in others:
            assert receiver.post(*good_requests()[other]).is_success
    assert setting.upper() in problem["reason"]
    assert landed(settings, *name.split("/")) == []


@pytest.mark.parametrize(
    ("name", "setting"), [("jane/cart_status", "jane_enabled"), ("omni/events", "omni_enabled")]
)
def test_a_source_that_is_switched_off_is_not_taken(tmp_path: Path, name: str, setting: str) -> None:
    """The reason names the switch."""
    with serving(make_settings(tmp_path, **{setting: False})) as receiver:
        problem = _refused(receiver, 503, *good_requests()[name])
    assert setting.upper() in problem["reason"]


def test_messaging_feedback_is_checked(settings: Settings) -> None:
    """An unknown type or channel is named; the address is never repeated."""
    secret = {"X-Perennial-Secret": "messaging-secret"}
    with serving(settings) as receiver:
        for field, value in (
            ("type", "exploded"),
            ("channel", "fax"),
            ("address", ""),
            ("occurred_at", "now"),
        ):
            problem = _refused(
                receiver, 422, "/webhooks/messaging", json.dumps({**FEEDBACK, field: value}), secret
            )
            assert problem["field"] == field
            assert "303555" not in json.dumps(problem)
        more = {**FEEDBACK, "event_id": "m2", "type": "flow_completed", "enrollment_id": "d-1"}
        assert (
            receiver.post("/webhooks/messaging", json.dumps([FEEDBACK, more]), secret).json()["accepted"] == 2
        )
        known = {
            "event_id": "m3",
            "type": "opened",
            "occurred_at": FEEDBACK["occurred_at"],
            "enrollment_id": "d-1",
        }
        assert receiver.post("/webhooks/messaging", json.dumps(known), secret).json()["accepted"] == 1
        for change in ({"type": "stop"}, {"enrollment_id": None}):
            problem = _refused(receiver, 422, "/webhooks/messaging", json.dumps({**known, **change}), secret)
            assert problem["field"] == "channel"
            address_only = json.dumps({**known, **change, "channel": "sms"})
            assert _refused(receiver, 422, "/webhooks/messaging", address_only, secret)["field"] == "address"
    assert [record.source_key for record in landed(settings, "messaging", "feedback")] == ["m1", "m2", "m3"]


def test_unknown_paths_and_methods_are_answered_in_the_same_form(settings: Settings) -> None:
    """A sender with a wrong URL learns where the right ones are."""
    with serving(settings) as receiver:
        assert "/openapi.json" in _refused(receiver, 404, "/webhooks/nobody", b"{}", {})["fix"]
        answer = receiver.client.get("/v1/events")
        assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


def test_the_receiver_describes_itself(settings: Settings) -> None:
    """The schema at /openapi.json takes the good examples and refuses bad ones."""
    with serving(settings) as receiver:
        document = receiver.client.get("/openapi.json").json()
        paths = document["paths"]
        assert receiver.client.get("/healthz").json() == {
            "status": "ok",
            "sealing": "running",
            "workers": 1,
        }
    schema = paths["/v1/events"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator = OAS31Validator({**schema, "components": document["components"]})
    assert validator.is_valid(EVENT)
    assert validator.is_valid([EVENT, {**EVENT, "customer": {"email": "a@example.com"}}])
    assert not validator.is_valid({**EVENT, "event_name": "Not A Name"})
    assert {path for path, _, _ in good_requests().values()} - {"/webhooks/shopify/customers/merge"} < set(
        paths
    )
    assert {"/webhooks/shopify/{topic}", "/healthz", "/metrics"} < set(paths)
    for operations in paths.values():
        if "post" in operations:
            assert {"200", "401", "413", "422", "429", "503"} <= operations["post"]["responses"].keys()
