"""What an erasure would take, where people share what leads to them."""

from dataclasses import replace
from pathlib import Path

import pytest

from erasure.plan import Plan, find_rows, plan
from perennial.clock import clock_of, sandbox_clock
from perennial.errors import PerennialError
from perennial.home import Home
from tests.erasure.story import ANN, BOB, Story, at
from tests.reverse_etl.sandbox_vendors import serving_sandbox
from tests.scene import settings_in
from warehouse.ownership import owned

SAM = replace(
    BOB, key="sam", name="Sam Okafor", email="sam@example.com", phone=ANN.phone, written_phone=ANN.phone
)


def test_a_household_s_phone_is_hers_and_his(deployed: Path, tmp_path: Path) -> None:
    """His rows stay, what he says of her too; the phone alone names neither; nothing was published before."""
    home = tmp_path / "home"
    with serving_sandbox(tmp_path / "vendors", sandbox_clock(settings_in(home))) as vendors:
        story = Story.on(deployed, home, vendors)
    story.customer(ANN, at(9))
    story.customer(SAM, at(9))
    for _ in range(2):  # what is delivered again is his as well
        story.partner(SAM, "coupon_shared", at(10), {"with": ANN.email})
    story.partner(ANN, "product_viewed", at(10), {"product_id": "p1"})
    story.scene.clock.set(at(11), running=False)
    clock = clock_of(story.settings)
    with owned(Home(story.settings.home)):
        with pytest.raises(PerennialError, match="belongs to 2 people"):
            plan(story.settings, clock, ANN.written_phone)
        found = plan(story.settings, clock, ANN.email)
        with pytest.raises(PerennialError, match="nobody is known"):
            plan(story.settings, clock, "nobody@example.com")
        with pytest.raises(PerennialError, match="another process owns"), owned(Home(story.settings.home)):
            pass
    assert isinstance(found, Plan)
    assert found.person.shared == {ANN.phone}
    told_of_her = {"flowhub/customers": 1, "partners/events": 1}
    assert {
        stream: rows for stream, rows in found.rows.items() if not stream.startswith("perennial/")
    } == told_of_her
    assert not found.destinations
    # what nobody has read yet is nobody's, and so is what holds no more than the phone
    before = find_rows(story.settings, story.scene.log, found.person)
    story.customer(SAM, at(12), city="Boulder")
    story.land_text("jane", "cart_status", "broken-sam", f'{{"phone": "{SAM.phone}", "name": "Sam')
    assert find_rows(story.settings, story.scene.log, found.person) == before
    with owned(Home(story.settings.home)):
        later = plan(story.settings, clock, ANN.email)
    assert isinstance(later, Plan)
    assert later.rows == found.rows
    assert later.mentions == {"flowhub/customers": 2, "jane/cart_status": 1, "partners/events": 2}
    assert found.mentions == {"flowhub/customers": 1, "partners/events": 2}
