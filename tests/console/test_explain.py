"""``perennial explain``, on one home in which each answer occurs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from console.cli import app
from console.output import out
from perennial.settings import load_settings
from tests.scene import Scene
from tests.warehouse.story import at
from warehouse.builder import Builder

FLOW = "cart_abandoned_recovery"


@pytest.fixture(scope="module")
def scene(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Let carts be left at 18:00 UTC, noon in Denver, decide them at 18:10, and publish at 18:20."""
    scene = Scene.on(
        deployed, tmp_path_factory.mktemp("explain") / "home", {FLOW: {}, "order_ready_for_pickup": {}}
    )
    (scene.home / "home.json").write_text('{"kind": "demo"}', encoding="utf-8")
    scene.set_flows()
    for person in ("ann", "bob", "dan", "eve"):
        scene.know(person)
    scene.know("cat", birth_date=None)
    for channel in ("sms", "email"):
        scene.consent("bob", at(17), channel, "opted_out")
    for person in ("ann", "bob", "cat"):
        scene.jane_cart("cart_abandoned", "pending", at(18), f"cart-{person}", person, None)
    scene.jane_cart("cart_status", "verification", at(18, 1), "cart-dan", "dan", None)
    scene.jane_cart("cart_status", "preparing", at(18, 2), "cart-dan", "dan", None)
    scene.partner_event("viewed_product", at(16), {"email": scene.email("eve")}, {"product_id": "p1"})
    scene.partner_event("back_in_stock", at(18), {}, {"product_id": "p1", "product_name": "Blue Dream"})
    scene.build(at(18, 10))
    [enrolled] = scene.rows("select enrollment_id from marts.flow_enrollments")
    scene.receipt(enrolled["enrollment_id"], at(18, 11), "accepted")
    scene.clock.set(at(18, 20), running=False)
    with Builder(scene.settings) as builder:
        report = builder.build(lane="scheduled")
    assert report.ok, report.error
    return scene


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a row stay a line, and settings be read anew, as in a process of its own."""
    monkeypatch.setattr(out, "width", 200)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def told(scene: Scene, person: str, *words: str, flow: str = FLOW) -> Result:
    """Call ``perennial explain``."""
    environment = {"PERENNIAL_HOME": str(scene.home), "PERENNIAL_CLOCK": "sandbox"}
    return CliRunner().invoke(app, ["explain", "--flow", flow, "--customer", person, *words], env=environment)


@pytest.mark.slow
def test_enrolled_with_what_became_of_it(scene: Scene) -> None:
    """By her e-mail: the decision, its values and its receipt, in the company's own time."""
    result = told(scene, "ann@example.com")
    assert result.exit_code == 0, result.output
    assert "Enrolled by sms and email." in result.output
    assert "of 2026-03-15 12:00:00 MDT, decided at 2026-03-15 12:10:00 MDT in build" in result.output
    assert "accepted by the messaging system" in result.output
    [row] = [line.split() for line in result.output.splitlines() if line.strip().startswith("email consent")]
    assert row == ["email", "consent", "opted_in", "opted_in"]
    assert "As she stands now she passes each gate that needs no trigger." in result.output


@pytest.mark.slow
def test_skipped_with_the_gate_and_its_values(scene: Scene) -> None:
    """By her phone: the reason's sentence, and that the same gate would hold her back now."""
    result = told(scene, scene.phone("bob"))
    assert "Skipped: No channel of the flow has the consent that it needs. (no_consent)" in result.output
    [row] = [
        line.split() for line in result.output.splitlines() if line.strip().startswith("is sms suppressed")
    ]
    assert row == ["is", "sms", "suppressed", "yes", "yes"]
    assert "As she stands now she would be skipped: No channel of the flow" in result.output


@pytest.mark.slow
def test_waiting_at_a_gate(scene: Scene) -> None:
    """By the till's id: what it waits for, and until when."""
    result = told(scene, "fh-cat")
    assert "Waits until 2026-03-15 12:30:00 MDT: The date of birth is not known." in result.output


@pytest.mark.slow
def test_no_trigger_and_what_came_nearest(scene: Scene) -> None:
    """Another event of the kind, one that the flow's SQL did not take, and nothing at all."""
    [dan] = scene.rows("select customer_id from marts.dim_customers where email = 'dan@example.com'")
    other = told(scene, dan["customer_id"])
    assert "No trigger" in other.output
    assert "is another event, of the same kind" in other.output
    passed_by = told(scene, "dan@example.com", flow="order_ready_for_pickup")
    assert "Nearest: cart_status_updated, preparing (jane), 2026-03-15 12:02:00 MDT" in passed_by.output
    assert "was not taken by the flow's own SQL" in passed_by.output
    news = told(scene, "eve@example.com", flow="back_in_stock_alert")
    assert "Nearest: back_in_stock, Blue Dream (p), 2026-03-15 12:00:00 MDT" in news.output
    no_news = told(scene, "dan@example.com", flow="back_in_stock_alert")
    assert "no news of a product that she viewed, put into a cart or bought" in no_news.output
    nothing = told(scene, "eve@example.com", flow="tier_upgraded")
    assert "Nothing of the kind is known of her" in nothing.output
    assert "As she stands now she passes" in nothing.output
    draft = told(scene, "dan@example.com", flow="order_preparing")
    assert "The flow is set to draft." in draft.output
    assert "the flow is draft: it decides nothing" in draft.output


@pytest.mark.slow
def test_an_instant_of_the_past(scene: Scene) -> None:
    """Before it was decided it was undecided, before it happened there was nothing; how she stands now is left out."""
    between = told(scene, "bob@example.com", "--at", "2026-03-15 12:05")
    assert "Undecided then" in between.output
    assert "was decided at 2026-03-15 12:10:00 MDT (no_consent)" in between.output
    assert "As she stands now" not in between.output
    before = told(scene, "bob@example.com", "--at", "2026-03-15T17:59:00Z")
    assert "No trigger" in before.output
    after = told(scene, "bob@example.com", "--at", "2026-03-15T18:15:00Z")
    assert "Skipped: No channel" in after.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "cause", "fix"),
    [
        (("ann@example.com", "--at", "yesterday"), "yesterday is no instant", "write it like"),
        (("ann@example.com", "--at", "0001-01-01"), "0001-01-01 is no instant", "write it like"),
        (("ann@example.com", "--at", "9999-12-31 23:59"), "23:59 is no instant", "write it like"),
        (("ann@example.com", "--at", "2026-03-16 12:00"), "nothing is known yet", "leave out --at"),
        (("nobody@example.com",), "nobody is known by that name", "give an e-mail"),
    ],
)
def test_what_can_not_be_answered_says_what_to_type(
    scene: Scene, words: tuple[str, ...], cause: str, fix: str
) -> None:
    """Never a traceback."""
    result = told(scene, *words)
    assert result.exit_code == 1
    assert cause in result.output
    assert fix in result.output
    unknown = told(scene, "ann@example.com", flow="cart_abandoned")
    assert "there is no flow cart_abandoned" in unknown.output
    assert FLOW in unknown.output
