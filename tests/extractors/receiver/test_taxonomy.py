"""The two seeds that say what partners may send."""

import re
import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from extractors.receiver.taxonomy import SEEDS, event_types
from perennial.errors import PerennialError
from perennial.settings import INTEGRATIONS, Settings


def words(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


# What flows are triggered by: the events of partners and, by what their messages speak of, the other triggers.
FLOW_EVENTS = words("""
    order_created order_completed order_fulfilled order_canceled order_refunded checkout_started
    cart_updated cart_abandoned active_on_site viewed_product viewed_brand viewed_category
    added_to_cart removed_from_cart started_product_review completed_product_review customer_created
    customer_updated customer_optin_status_changed back_in_stock price_drop new_product_added
    low_inventory customer_checked_in customer_checked_out customer_assigned_to_budtender
""")
ORDER_TRIGGERS = words("""
    order_shipped order_created payment_failed payment_succeeded product_purchased item_reviewed
    item_not_reviewed order_out_for_delivery order_delivered delivery_date_changed
    auto_order_subscribed auto_order_pre_shipment auto_order_cancelled auto_order_paused
    auto_order_resumed auto_order_disabled
""")
CART_TRIGGERS = words("""
    cart_abandoned software_expiring auto_order_disable_recovery back_in_stock replenishment_due
    marketing_opted_in
""")
CUSTOMER_TRIGGERS = words("""
    wholesale_signup wholesale_approved coupon_shared store_credit_statement store_credit_used
    list_joined list_left
""")


def seeds_with(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """Return a copy of the seeds in which a text is another."""
    copy = tmp_path / "seeds"
    shutil.copytree(SEEDS, copy)
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return copy


def test_partners_may_send_what_flows_are_triggered_by() -> None:
    """The twenty-six events of flows and every trigger that is no audience's."""
    assert len(FLOW_EVENTS) == 26
    wanted = {*FLOW_EVENTS, *ORDER_TRIGGERS, *CART_TRIGGERS, *CUSTOMER_TRIGGERS}
    assert {name for name, event in event_types().items() if event.ingestible} == wanted


def test_order_and_cart_triggers_speak_of_theirs() -> None:
    """A message of such a flow has the order or the cart at hand."""
    rows = [line.split(",") for line in (SEEDS / "event_types.csv").read_text(encoding="utf-8").splitlines()]
    objects = {row[0]: row[2] for row in rows}
    assert {objects[name] for name in ORDER_TRIGGERS} == {"order"}
    assert {objects[name] for name in CART_TRIGGERS} == {"cart"}
    assert {objects[name] for name in CUSTOMER_TRIGGERS} == {""}


def test_every_property_belongs_to_an_event_that_partners_may_send() -> None:
    """A row for a name that does not exist would check nothing."""
    types = [event for event in event_types().values() if event.ingestible]
    scopes = {("*", "*"), *((e.category, "*") for e in types), *((e.category, e.name) for e in types)}
    rows = (SEEDS / "event_properties.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [row for row in rows if tuple(row.split(",")[:2]) not in scopes] == []


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [(",id,", ",uuid,", "type"), (",false,", ",no,", "required"), (",date,", ",day,", "format")],
)
def test_a_typo_names_file_line_and_column(tmp_path: Path, old: str, new: str, column: str) -> None:
    """Those who edit the seed learn where it is."""
    seeds = seeds_with(tmp_path, "event_properties.csv", old, new)
    with pytest.raises(
        PerennialError, match=rf"event_properties.csv, line \d+: {column} is none of"
    ) as caught:
        event_types(seeds)
    assert str(seeds) in caught.value.fix


def test_an_events_own_row_wins_over_its_categorys() -> None:
    """Which is how an event asks for what its category only allows."""
    created, reviewed = (event_types()[name] for name in ("order_created", "item_reviewed"))
    required = [
        {prop.path: prop.required for prop in event.properties}["order_id"] for event in (created, reviewed)
    ]
    assert required == [True, False]
    named = [prop.path for prop in created.properties]
    assert len(named) == len(set(named))


def test_no_partner_is_named_like_an_integration() -> None:
    """The sources that the taxonomy lists are taken: a partner of such a name would speak for them."""
    listed = {word for event in event_types().values() for word in event.available_from}
    assert listed <= set(INTEGRATIONS)
    for name in INTEGRATIONS:
        with pytest.raises(ValidationError, match=re.escape("names a partner like an integration")):
            Settings(_env_file=None, partner_api_keys=(SecretStr(f"{name}:key"),))
