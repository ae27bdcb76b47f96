"""From a request to the real receiver to the events: what Jane, Shopify and Shopify Flow send, once each."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from extractors.receiver.signatures import jane_signature, shopify_signature
from tests.extractors.receiver.serving import Receiver, make_settings, rows, serving
from tests.scene import Scene
from tests.warehouse import story
from tests.warehouse.test_rebuild import marts
from warehouse.rebuild import rebuild

PAGE = Path(__file__).parents[2] / "docs" / "sources" / "omni.md"
TEMPLATE = re.compile(r"```liquid\n(.*?)```", re.DOTALL)
VARIABLE = re.compile(r"\{\{ ([\w.]+) \}\}")
OMNI_SECRET = {"X-Perennial-Secret": "omni-secret"}
# What Shopify Flow would put in. Names that begin with OMNI are those a person picks.
VALUES = {
    "customer.legacyResourceId": "706405506930370084",
    "customer.email": "dana@example.com",
    "customer.phone": "+13035550142",
    "shop.myshopifyDomain": "demo.myshopify.com",
    "OMNI.occurred_at": "2026-03-15T17:00:00Z",
    "OMNI.value": "35",
    "OMNI.point_balance": "219",
    "OMNI.tier_id": "t_gold",
    "OMNI.tier_name": "Gold",
    "OMNI.old_tier": "Green",
    "OMNI.new_tier": "Gold",
    "OMNI.tier_expired_at": "2027-01-01",
    "OMNI.expired_at": "2026-04-01T00:00:00Z",
    "OMNI.reward_type": "Discount_code",
    "OMNI.discount_code": "HM-1",
    "OMNI.birth_month": "--05",
    "OMNI.member_status": "Active",
    "OMNI.source_customer_id": "12",
    "OMNI.destination_customer_id": "706405506930370084",
}


@pytest.fixture
def scene(deployed: Path, tmp_path: Path) -> Scene:
    """Copy a deployed home, whose clock stands at the story's afternoon."""
    made = Scene.on(deployed, tmp_path / "home", {})
    made.set_flows()
    return made


def _serving(scene: Scene, **changes: object) -> Iterator[Receiver]:
    settings = make_settings(scene.home, **changes)
    scene.clock.set(story.at(18), running=False)
    with serving(settings) as receiver:
        yield receiver


@pytest.fixture
def receiver(scene: Scene) -> Iterator[Receiver]:
    """Serve a receiver that lands in the scene's home."""
    yield from _serving(scene)


def _rendered(template: str, event_id: str, source: str) -> str:
    values = {**VALUES, "OMNI.event_id": event_id, "OMNI.source": source}
    return VARIABLE.sub(lambda found: values[found[1]], template)


def test_every_template_of_the_docs_arrives_with_every_reason(scene: Scene, receiver: Receiver) -> None:
    """What a merchant pastes into Shopify Flow is taken, and its event and reason are in the staged rows."""
    templates = TEMPLATE.findall(PAGE.read_text(encoding="utf-8"))
    ways = scene.rows("select omni_event, reason from seeds.omni_reasons order by all")
    sent = []
    for place, template in enumerate(templates):
        name = json.loads(_rendered(template, "", ""))["event"]
        reasons = [way["reason"] for way in ways if way["omni_event"] == name] or [""]
        assert ("OMNI.source }}" in template) == (reasons != [""]), name
        for reason in reasons:
            event_id = f"t{place}-{reason}"
            answer = receiver.post("/webhooks/omni", _rendered(template, event_id, reason), OMNI_SECRET)
            assert answer.is_success, answer.text
            sent.append((name, reason or None, event_id))
    receiver_done(receiver, len(sent))
    scene.build(story.at(18, 10))
    staged = scene.rows(
        "select omni_event, reason, route_event_id, disposition, problem from staging.base_omni__events"
    )
    assert {row["omni_event"] for row in staged} == {
        row["omni_event"] for row in scene.rows("select omni_event from seeds.omni_events")
    }
    found = [(row["omni_event"], row["reason"], row["route_event_id"]) for row in staged]
    assert sorted(found, key=str) == sorted(sent, key=str)
    assert {(row["disposition"], row["problem"]) for row in staged} == {("loaded", None)}
    [reward] = scene.rows(
        "select distinct reward_type, discount_code, cast(expires_at as varchar) as expires_at "
        "from staging.stg_omni__events where omni_event = 'wv/reward/issued'"
    )
    assert reward == {
        "reward_type": "Discount_code", "discount_code": "HM-1", "expires_at": "2026-04-01 00:00:00",
    }  # fmt: skip
    [member] = scene.rows(
        "select points_balance, tier, member_status, birth_month, points_expire_at is not null as expire "
        "from events.int_loyalty_accounts where node = 'shopify_customer:706405506930370084'"
    )
    assert (float(member.pop("points_balance")), member) == (
        219.0, {"tier": "Gold", "member_status": "Active", "birth_month": 5, "expire": True},
    )  # fmt: skip


def receiver_done(receiver: Receiver, count: int) -> None:
    """Wait until the sealer has landed so many records."""
    receiver.client.get("/healthz")
    for _ in range(400):
        if rows(receiver.settings) - deployed_rows(receiver) >= count:
            return
        receiver.client.get("/healthz")
    raise AssertionError(f"{rows(receiver.settings)} rows have landed")


def deployed_rows(receiver: Receiver) -> int:
    """Return how many rows the deployed home's own moments landed."""
    from extractors.landing.log import LandingLog  # noqa: PLC0415 - counted here only

    log = LandingLog(receiver.settings.landing_url)
    return sum(
        count
        for batch in log.batches()
        for stream, count in batch.streams.items()
        if stream.startswith("perennial/")
    )


def _jane(
    cart: dict[str, Any], at: int, key: str = "jane_test_signing_secret"
) -> tuple[bytes, dict[str, str]]:
    body = json.dumps({"cart": cart}).encode()
    return body, {
        "Authorization": "Bearer sandbox-jane-token",
        "X-Jane-Request-Timestamp": str(at),
        "X-Jane-Signature": jane_signature(key, str(at), body),
    }


def test_janes_twelve_statuses_arrive_once_whatever_is_replayed(scene: Scene, receiver: Receiver) -> None:
    """Replays, old timestamps, both secrets of a rotation; what is forged leaves no trace in the log."""
    known = scene.rows("select jane_status, also_event from seeds.jane_statuses order by status_rank, 1")
    began = int(story.at(17).timestamp())
    path = "/webhooks/jane/cart-status"
    for place, status in enumerate(known):
        cart = {
            "id": 7469,
            "status": status["jane_status"],
            "user_id": 1,
            "amount": 41.8,
            "created_at": "2026-03-15 16:00:00",
        }
        secret = ("jane_test_signing_secret", "jane_older_secret")[place % 2]
        body, headers = _jane(cart, began + place, secret)
        for _ in range(2):  # a replay, by then of an hour ago
            assert receiver.post(path, body, headers).is_success
        assert receiver.post(path, body + b" ", headers).status_code == 401
        assert receiver.post(path, body, {**headers, "X-Jane-Signature": ""}).status_code == 401
        assert receiver.post(path, *_jane(cart, began + place, "forged")).status_code == 401
    figures = receiver.client.get("/metrics").text
    assert f'perennial_receiver_refused_total{{source="jane",status="401"}} {3 * len(known)}.0' in figures
    assert f'perennial_receiver_stale_total{{source="jane"}} {2 * len(known)}.0' in figures
    receiver_done(receiver, 2 * len(known))
    scene.build(story.at(18, 10))
    staged = scene.rows("select jane_status, disposition, is_stale from staging.base_jane__carts")
    assert len(known) == 12
    assert Counter(row["disposition"] for row in staged) == {"loaded": 12, "duplicate": 12}
    assert all(row["is_stale"] for row in staged)
    told = Counter(row["event_name"] for row in scene.rows("select event_name from marts.fct_events"))
    expected = Counter(row["also_event"] for row in known if row["also_event"])
    assert told == expected + Counter(cart_status_updated=12, item_reviewed=1)


@pytest.mark.thorough
def test_what_is_replayed_after_forty_days_counts_once(scene: Scene, receiver: Receiver) -> None:
    """A signed body stays signed, and a sender may empty an old queue: all of the past counts, as in a rebuild."""
    at = story.at(17).isoformat()
    event = {
        "event_id": "e1",
        "event_name": "customer_checked_in",
        "occurred_at": at,
        "customer": {"email": "ann@x.com"},
    }
    member = {
        "event": "wv/points/added",
        "event_id": "o1",
        "occurred_at": at,
        "customer": {"email": "ann@x.com"},
    }
    stop = {"event_id": "m1", "type": "opened", "occurred_at": at, "channel": "email", "address": "ann@x.com"}
    requests: list[tuple[str, bytes, dict[str, str]]] = [
        ("/webhooks/jane/cart-status", *_jane({"id": 1, "status": "pending"}, int(story.at(17).timestamp()))),
        ("/v1/events", json.dumps(event).encode(), {"X-API-Key": "key-of-acme"}),
        ("/webhooks/omni", json.dumps({**member, "properties": {"value": 5}}).encode(), OMNI_SECRET),
        ("/webhooks/messaging", json.dumps(stop).encode(), {"X-Perennial-Secret": "messaging-secret"}),
    ]
    streams = ("jane__carts", "partners__events", "omni__events", "messaging__feedback")

    def play(days: int, accepted: int) -> list[str]:
        scene.clock.set(story.at(18) + timedelta(days=days), running=False)
        for path, body, headers in requests:
            answer = receiver.post(path, body, headers)
            assert answer.is_success, answer.text
        receiver_done(receiver, accepted)
        scene.build(story.at(18, 10) + timedelta(days=days))
        told = scene.rows("select event_id from marts.fct_events where source <> 'perennial'")
        return sorted(row["event_id"] for row in told)

    once = play(0, 4)
    assert len(once) == 5  # Jane's pending cart is a status and an update
    assert play(40, 8) == once
    for stream in streams:
        [first, *rest] = scene.rows(f"select disposition from staging.base_{stream} order by seq")
        assert (first["disposition"], [row["disposition"] for row in rest]) == ("loaded", ["duplicate"]), (
            stream
        )
    before = marts(scene)
    assert rebuild(scene.settings, scene.clock.now()).ok
    assert marts(scene) == before


@pytest.mark.thorough
def test_each_subscription_of_jane_may_have_its_own_secret(scene: Scene) -> None:
    """Jane makes one for each: both stand in the setting, with a comma between them."""
    for receiver in _serving(scene, jane_signing_secret=SecretStr("first-secret, second-secret")):
        for path, key in (("cart-status", "first-secret"), ("cart-abandoned", "second-secret")):
            body, headers = _jane({"id": 1, "status": "pending"}, int(story.at(17).timestamp()), key)
            assert receiver.post(f"/webhooks/jane/{path}", body, headers).is_success
        for key in ("first-secret, second-secret", "first-secret,", ""):
            body, headers = _jane({"id": 1, "status": "pending"}, int(story.at(17).timestamp()), key)
            assert receiver.post("/webhooks/jane/cart-status", body, headers).status_code == 401


def test_shopifys_topics_reach_people_and_consent_once(scene: Scene, receiver: Receiver) -> None:
    """A failed merge changes nothing, a webhook id counts once, and ids of both forms are one customer."""
    at = story.at(17).isoformat()
    person = {"created_at": at, "updated_at": at, "first_name": "Ann", "last_name": "Case", "phone": None}
    gid = "gid://shopify/Customer/706405506930370084"
    consent = {"state": "subscribed", "opt_in_level": "single_opt_in", "consent_updated_at": at}
    kept, deleted = "admin_graphql_api_customer_kept_id", "admin_graphql_api_customer_deleted_id"
    yes = {"customer_id": 12, "email_address": "ann@example.com", "email_marketing_consent": consent}
    no = {"id": 13, "phone": "+13035550199", "sms_marketing_consent": {**consent, "state": "unsubscribed"}}
    sent: list[tuple[str, str, dict[str, Any]]] = [
        ("w1", "customers/create", {"id": 706405506930370084, "email": "ann@example.com", **person}),
        ("w2", "customers/create", {"id": 12, "email": "old_ann@example.com", **person}),
        ("w3", "customers/create", {"id": 13, "email": "bob@example.com", **person, "first_name": "Bob"}),
        ("w4", "customers/merge", {kept: gid, deleted: "gid://shopify/Customer/12", "status": "completed"}),
        ("w5", "customers/merge", {kept: gid, deleted: "gid://shopify/Customer/13", "status": "failed"}),
        ("w6", "customers_email_marketing_consent/update", yes),
        ("w7", "customers_marketing_consent/update", no),
        ("w8", "customer.tags_added", {"customerId": gid, "tags": ["vip"], "occurredAt": at}),
    ]
    sent.append(sent[0])
    for webhook_id, topic, told in sent:
        body = json.dumps(told).encode()
        headers = {
            "X-Shopify-Hmac-SHA256": shopify_signature("shopify_test_client_secret", body),
            "X-Shopify-Topic": topic,
            "X-Shopify-Webhook-Id": webhook_id,
            "X-Shopify-Triggered-At": at,
        }
        assert receiver.post(f"/webhooks/shopify/{topic}", body, headers).is_success
        assert receiver.post(f"/webhooks/shopify/{topic}", body + b"\n", headers).status_code == 401
    receiver_done(receiver, len(sent))
    scene.build(story.at(18, 10))
    staged = scene.rows("select disposition from staging.base_shopify__webhooks")
    assert Counter(row["disposition"] for row in staged) == {"loaded": 8, "duplicate": 1}
    people = {
        row["node"]: row["customer_id"]
        for row in scene.rows("select node, customer_id from identity.int_identity__map")
    }
    assert people["shopify_customer:706405506930370084"] == people["shopify_customer:12"]
    assert people["shopify_customer:13"] != people["shopify_customer:12"]
    consents = scene.rows("select channel, address, status from marts.address_consent order by 1")
    assert consents == [
        {"channel": "email", "address": "ann@example.com", "status": "opted_in"},
        {"channel": "sms", "address": "+13035550199", "status": "opted_out"},
    ]
