"""One afternoon in a few facts: enough for a decision of each kind, a merge and an exit."""

from datetime import UTC, datetime

from tests.scene import Scene


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return an instant of the afternoon."""
    return datetime(2026, 3, 15, hour, minute, second, tzinfo=UTC)


def morning(scene: Scene) -> None:
    """Let Ann and Bob be known, and Ann leave a cart."""
    scene.set_flows()
    scene.know("ann")
    scene.know("bob")
    scene.jane_cart("cart_abandoned", "pending", at(18), "c1", "ann", None)


def clockwork(scene: Scene) -> None:
    """Let Carl, who is born in March, leave a cart in silence and have points that end in April."""
    scene.know("carl", birth_date="1990-03-20")
    scene.partner_event("cart_updated", at(17, 35), {"email": scene.email("carl")}, {"cart_id": "c4"})
    points = {"value": 30, "source": "purchase", "expired_at": "2026-04-05T06:00:00Z"}
    scene.omni_event("wv/points/added", at(17, 36), "carl", points)


def later(scene: Scene) -> None:
    """Let Ann buy after all; Bob leaves a cart and says stop; a stranger leaves one on a device."""
    scene.jane_cart("cart_status", "verification", at(18, 12), "c1", "ann", None)
    scene.jane_cart("cart_abandoned", "pending", at(18, 13), "c2", "bob", None)
    scene.feedback("bob", at(18, 14), "stop", "sms")
    scene.partner_event("cart_abandoned", at(18, 14), {"device_id": "d1"}, {"cart_id": "c3"})


def evening(scene: Scene) -> None:
    """Land that the order is ready, a message was opened, the stranger is Bob, and that two customers are one."""
    scene.jane_cart("cart_status", "ready_for_pickup", at(18, 25), "c1", "ann", None)
    scene.partner_event("customer_updated", at(18, 26), {"email": scene.email("bob"), "device_id": "d1"}, {})
    [enrolled] = scene.rows("select min(enrollment_id) as id from marts.flow_enrollments")
    opened = {
        "event_id": "o1",
        "type": "opened",
        "occurred_at": at(18, 26).isoformat(),
        "enrollment_id": enrolled["id"],
    }
    scene.land("messaging", "feedback", at(18, 26), opened, "o")
    scene.know("old_ann", at(18, 27))
    scene.merge("ann", "old_ann", at(18, 28))


def play(scene: Scene) -> None:
    """Land all facts and build a moment after each part."""
    morning(scene)
    clockwork(scene)
    scene.build(at(18, 10))
    later(scene)
    scene.build(at(18, 20))
    evening(scene)
    scene.build(at(18, 30))
