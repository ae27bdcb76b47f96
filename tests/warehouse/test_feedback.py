"""What the messaging systems report, from the real receiver: whose event it is, and what it stops."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyrate_limiter import Duration, Rate

from perennial.salt import salt_of
from reverse_etl.destinations.aiq import Aiq
from reverse_etl.destinations.registry import Configured
from reverse_etl.ledger.store import open_ledger
from reverse_etl.means import Means
from reverse_etl.push import push_to
from tests.extractors.receiver.serving import Receiver, landed, make_settings, serving, until
from tests.reverse_etl.vendor import Vendor
from tests.reverse_etl.vendor import serving as serving_vendor
from tests.scene import Scene
from tests.warehouse import story

FLOW = "cart_abandoned_recovery"
KINDS = ("delivered", "opened", "clicked", "bounced", "unsubscribed", "complained", "stop", "flow_completed")


@pytest.fixture
def scene(deployed: Path, tmp_path: Path) -> Scene:
    """Let Ann and Bob leave their carts and be enrolled."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    story.morning(scene)
    scene.jane_cart("cart_abandoned", "pending", story.at(18), "c2", "bob", None)
    scene.build(story.at(18, 10))
    return scene


@pytest.fixture
def receiver(scene: Scene) -> Iterator[Receiver]:
    """Serve a receiver that lands in the scene's home."""
    settings = make_settings(scene.home)
    scene.clock.set(story.at(18, 15), running=False)
    with serving(settings) as receiver:
        yield receiver


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """Serve an AIQ that takes everything."""
    with serving_vendor() as vendor:
        yield vendor


def report(receiver: Receiver, *told: dict[str, Any]) -> None:
    """Post reports as a messaging system does."""
    body = [{"occurred_at": story.at(18, 14).isoformat(), **one} for one in told]
    answer = receiver.post(
        "/webhooks/messaging", json.dumps(body), {"X-Perennial-Secret": "messaging-secret"}
    )
    assert answer.json()["accepted"] == len(told), answer.text
    until(lambda: len(landed(receiver.settings, "messaging", "feedback")) == len(told))


def enrollment_of(scene: Scene, person: str) -> str:
    """Return her enrollment."""
    found = scene.rows(
        "select enrollment_id from marts.flow_enrollments inner join marts.dim_customers using (customer_id) "
        "where email = ?",
        scene.email(person),
    )
    [row] = found
    return str(row["enrollment_id"])


def events(scene: Scene) -> dict[str, tuple[str, str | None, str | None]]:
    """Return the events of messages by what the sender calls them: name, whose, about which enrollment."""
    return {
        row["source_key"]: (row["event_name"], row["email"], row["object_id"])
        for row in scene.rows(
            """
            select staged.source_key, told.event_name, people.email, told.object_id
            from marts.fct_events as told
            inner join events.int_events as base on told.event_id = base.event_id
            inner join staging.stg_messaging__feedback as staged
                on base.seq = staged.seq and base.row_no = staged.row_no
            left join marts.dim_customers as people on told.customer_id = people.customer_id
            where told.source = 'messaging'
            """
        )
    }


def push(scene: Scene, vendor: Vendor) -> dict[str, int]:
    """Push what is due; return how many rows ended how."""
    ledger = open_ledger(f"sqlite:///{scene.home / 'ledger.sqlite'}", salt_of(scene.settings))
    aiq = Aiq(vendor.url, "key", "slug", scene.clock, rates=(Rate(1_000, Duration.SECOND),))
    try:
        done = push_to(Configured((aiq,)), Means(ledger, scene.log, scene.clock))
    finally:
        ledger.close()
    return dict(done.by_destination["aiq"])


def test_a_report_stops_the_next_push_and_is_an_event_of_whom_it_is_about(
    scene: Scene, receiver: Receiver, vendor: Vendor
) -> None:
    """What the receiver has said 2xx to is known at the next call, without a build.

    In the next build it is hers: by the enrollment, else by the address. Who is unknown stays so until somebody shows
    the address.
    """
    of_ann = enrollment_of(scene, "ann")
    told: list[dict[str, Any]] = [
        {"event_id": f"{kind}-1", "type": kind, "channel": "email", "address": "Bob@Example.com"}
        for kind in KINDS
    ]
    told += [
        {"event_id": "by_enrollment", "type": "opened", "enrollment_id": of_ann},
        {"event_id": "by_both", "type": "clicked", "enrollment_id": of_ann, "channel": "email", "address": "of@x.com"},
        {"event_id": "of_another", "type": "opened", "enrollment_id": "not-ours"},
        {"event_id": "to_a_stranger", "type": "delivered", "channel": "email", "address": scene.email("zoe")},
        {"event_id": "to_her_again", "type": "opened", "channel": "email", "address": scene.email("zoe")},
        {"event_id": "bounced_text", "type": "bounced", "channel": "sms", "address": scene.phone("bob")},
    ]  # fmt: skip
    report(receiver, *told)
    assert push(scene, vendor) == {"accepted": 1, "exited": 1}
    assert [call["email"] for call in vendor.calls] == [scene.email("ann")]
    people = scene.rows("select count(*) as n from marts.dim_customers")
    scene.build(story.at(18, 20))
    bob, ann = scene.email("bob"), scene.email("ann")
    expected: dict[str, tuple[str, str | None, str | None]] = {
        **{f"{kind}-1": (f"message_{kind}", bob, None) for kind in KINDS},
        "by_enrollment": ("message_opened", ann, of_ann),
        "by_both": ("message_clicked", ann, of_ann),
        "of_another": ("message_opened", None, "not-ours"),
        "to_a_stranger": ("message_delivered", None, None),
        "to_her_again": ("message_opened", None, None),
        "bounced_text": ("message_bounced", bob, None),
    }
    assert events(scene) == expected
    assert scene.rows("select count(*) as n from marts.dim_customers") == people, "an address is nobody yet"
    [score] = scene.rows(
        "select engagement_score from marts.customer_traits inner join marts.dim_customers using (customer_id) "
        "where email = ?",
        ann,
    )
    assert score["engagement_score"] > 0, "she opened and clicked"
    scene.know("zoe", story.at(18, 25))
    scene.build(story.at(18, 30))
    zoe = scene.email("zoe")
    assert events(scene) == expected | {
        "to_a_stranger": ("message_delivered", zoe, None),
        "to_her_again": ("message_opened", zoe, None),
    }
