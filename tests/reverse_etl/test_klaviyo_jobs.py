"""Klaviyo's jobs of many events, against the sandbox's Klaviyo: nothing twice, and the bad one alone is refused."""

from collections import Counter
from collections.abc import Iterator

import pytest

from reverse_etl.destinations.klaviyo import BULK, LEAST_EVENTS, Klaviyo
from reverse_etl.destinations.registry import Configured
from reverse_etl.push import PushReport
from sandbox.credentials import KLAVIYO_API_KEY
from sandbox.faults import Fault
from tests.reverse_etl.sandbox_vendors import Vendors, serving_sandbox
from tests.reverse_etl.scene import WIDE, Scene, decision

ROWS = 30


@pytest.fixture
def vendors(scene: Scene) -> Iterator[Vendors]:
    """Serve the sandbox's vendors."""
    with serving_sandbox(scene.home / "sandbox", scene.clock) as served:
        yield served


def push(scene: Scene, vendors: Vendors) -> PushReport:
    """Push to the sandbox's Klaviyo, with limits out of the way."""
    klaviyo = Klaviyo(f"{vendors.url}/klaviyo", KLAVIYO_API_KEY, scene.clock, rates=WIDE, bulk_rates=WIDE)
    return scene.push(destinations=Configured((klaviyo,)))


def recorded(vendors: Vendors) -> Counter[str]:
    """Return how often Klaviyo recorded each id."""
    return Counter(event["unique_id"] for event in vendors.klaviyo_events())


def test_many_share_a_job_and_few_go_alone(scene: Scene, vendors: Vendors) -> None:
    """Below 24 single events are the cheaper call, by Klaviyo's own limits."""
    scene.decide(*(decision(number, destination="klaviyo") for number in range(ROWS)))
    assert push(scene, vendors).by_destination == {"klaviyo": {"accepted": ROWS}}
    assert vendors.received.outcomes("klaviyo") == {"accepted": 1}
    scene.decide(*(decision(100 + number, destination="klaviyo") for number in range(LEAST_EVENTS - 1)))
    push(scene, vendors)
    assert vendors.received.outcomes("klaviyo") == {"accepted": LEAST_EVENTS}
    assert set(recorded(vendors).values()) == {1}


def test_a_job_whose_answer_is_lost_has_one_effect(scene: Scene, vendors: Vendors) -> None:
    """Klaviyo took it: each event goes alone then, and is dropped by its id."""
    vendors.faults.add(Fault("klaviyo", "reset_after", path=BULK))
    scene.decide(*(decision(number, destination="klaviyo") for number in range(ROWS)))
    assert push(scene, vendors).by_destination == {"klaviyo": {"accepted": ROWS}}
    assert vendors.received.outcomes("klaviyo") == {"accepted": 1, "duplicate": ROWS}
    assert recorded(vendors) == Counter({f"d{number:06d}": 1 for number in range(ROWS)})


def test_a_job_with_a_bad_event_is_taken_apart(scene: Scene, vendors: Vendors) -> None:
    """All others arrive once; the bad one is a dead letter with Klaviyo's reason and the place."""
    bad = {"email": "nobody", "phone": None}
    rows = [decision(number, destination="klaviyo") for number in range(ROWS)]
    rows[17]["enrollment"]["recipient"] = bad
    scene.decide(*rows)
    assert push(scene, vendors).by_destination == {"klaviyo": {"accepted": ROWS - 1, "rejected": 1}}
    assert set(recorded(vendors).values()) == {1}
    assert len(recorded(vendors)) == ROWS - 1
    [rejected] = [receipt for receipt in scene.receipts() if receipt["status"] == "rejected"]
    assert rejected["enrollment_id"] == "d000017"
    assert rejected["error"].startswith("HTTP 400: invalid: /data/attributes/profile/data/attributes/email: ")
    assert sum(vendors.received.outcomes("klaviyo").values()) <= 12, "halves, not one by one"
