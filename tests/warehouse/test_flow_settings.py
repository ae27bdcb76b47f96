"""What a flow says about itself: a typo is told with file and key, and names mean something."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from perennial.errors import PerennialError
from perennial.settings import Settings
from warehouse import flow_settings
from warehouse.audience_inputs import audiences_without_sender
from warehouse.builder import since_when
from warehouse.flow_context import advice_on_withheld, context_fields, withheld_advice
from warehouse.flow_settings import FlowSettings, read_flow_settings, without_sender
from warehouse.project import PROJECT

FLOW = "cart_abandoned_recovery"


@pytest.mark.parametrize(
    ("flow", "told", "key", "says"),
    [
        (FLOW, {"chanels": ["sms"]}, "chanels", "not permitted"),
        (FLOW, {"status": "activ"}, "status", "'draft', 'dry_run'"),
        (FLOW, {"window": "half an hour"}, "window", "30 minutes"),
        (FLOW, {"window": 30}, "window", "30 minutes"),  # which YAML reads out of 0:30, too
        (FLOW, {"window": "0 minutes"}, "window", "greater than 0"),
        (FLOW, {"window": "36 days"}, "window", "35 days"),
        (FLOW, {"max_duration": "99999999999 days"}, "max_duration", "365 days"),
        (FLOW, {"reentry": "weekly"}, "reentry", "7 days"),
        (FLOW, {"reentry": "400 days"}, "reentry", "from 1 to 365"),
        (FLOW, {"rank": True}, "rank", "valid integer"),
        (FLOW, {"owner": ""}, "owner", "at least 1 character"),
        (FLOW, {"from_address": "@example.com"}, "from_address", "pattern"),
        (
            "welcome",
            {"display_name": "About your order!"},
            "display_name",
            "order_issue is called About your order",
        ),
        (FLOW, {"channels": ["fax"]}, "channels.0", "'sms' or 'email'"),
        (FLOW, {"channels": []}, "channels", "at least 1"),
        (FLOW, {"concurrent": False}, "max_duration", "concurrent is off"),
        (FLOW, {"display_name": "Churn risk winback"}, "display_name", "internal words"),
        (FLOW, {"display_name": "…"}, "display_name", "no letter"),
        (FLOW, {"destination": "klaviyo"}, "channels", "klaviyo may not send sms: Klaviyo's SMS terms"),
        (FLOW, {"trigger": "cart_abandonned"}, "trigger", "no event of the taxonomy"),
        (FLOW, {"trigger": ["cart_abandoned", "cart_left"]}, "trigger", "cart_left"),
        (FLOW, {"trigger": "audience_entered:vips"}, "trigger", "vips is no audience"),
        (FLOW, {"trigger": "audience_entered"}, "trigger", "is no audience"),
        (FLOW, {"from_name": "{shop|us}"}, "from_name", "{shop|us} is not known"),
        (FLOW, {"from_name": "{store}"}, "from_name", "{store|our team}"),
        (FLOW, {"from_name": "{store|our store"}, "from_name", "brace"),
        (FLOW, {"from_address": "hello@example.org"}, "from_address", "no domain that may send"),
        (FLOW, {"exits": ["Bought it"]}, "exits.0", "pattern"),
        (FLOW, {"exits": ["is_rich"]}, "exits", "no filter of the flow"),
        (FLOW, {"recheck": ["is_rich"]}, "recheck", "no filter of the flow"),
        (FLOW, {"programme": "medical"}, "programme", "'any', 'rec' or 'med'"),
        (FLOW, {"previous_names": ["order_preparing"]}, "previous_names", "is a flow that there is"),
        (FLOW, {"holdout_percent": 60}, "holdout_percent", "less than or equal to 50"),
        ("order_preparing", {"offer": "10 % off"}, "offer", "transactional"),
    ],
)
def test_a_typo_names_file_and_key(flow: str, told: dict[str, Any], key: str, says: str) -> None:
    """Nobody searches for what the build has found."""
    with pytest.raises(PerennialError) as caught:
        read_flow_settings({flow: told})
    assert caught.value.cause.startswith(f"dbt/models/flows/{flow}.yml: config.meta.flow.{key}: ")
    assert says in caught.value.cause
    assert caught.value.fix


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("rank: 10\n          rank: 90", ", line 17: rank stands twice"),
        ("rank: 10\n          on: true", ": config.meta.flow.True: "),
        ("rank: [10", ", line "),
        ("rank: !!python/name:os.system", ", line 16: "),
    ],
)
def test_yaml_that_means_something_else_names_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, says: str
) -> None:
    """Of a key that stands twice the last would count, and a key such as on is no text."""
    copy = tmp_path / "dbt"
    for part in ("models/flows", "models/audiences", "seeds"):
        shutil.copytree(PROJECT / part, copy / part)
    shutil.copy(PROJECT / "dbt_project.yml", copy)
    monkeypatch.setattr(flow_settings, "PROJECT", copy)
    page = copy / "models" / "flows" / f"{FLOW}.yml"
    page.write_text(page.read_text(encoding="utf-8").replace("rank: 10", written, 1), encoding="utf-8")
    with pytest.raises(PerennialError) as caught:
        read_flow_settings()
    assert caught.value.cause.startswith(f"dbt/models/flows/{FLOW}.yml{says}")


def test_no_two_flows_take_over_one_past() -> None:
    """Who was in the former flow would have been in both."""
    with pytest.raises(
        PerennialError, match=f"welcome.yml: config.meta.flow.previous_names: {FLOW} was called old"
    ):
        read_flow_settings({FLOW: {"previous_names": ["old"]}, "welcome": {"previous_names": ["old"]}})


def test_what_is_right_is_read() -> None:
    """Each setting is what the YAML says, or its default."""
    told = {
        "from_name": "{budtender|our team} at {store|our store}", "from_address": "hello@example.com",
        "reentry": "never", "max_duration": "3 days", "concurrent": False, "exits": ["bought"], "offer": "10 % off",
        "previous_names": ["cart_recovery"], "programme": "rec",
    }  # fmt: skip
    flow = read_flow_settings({FLOW: told})[FLOW]
    assert (flow.reentry, flow.max_duration, flow.window) == (-1, timedelta(days=3), timedelta(minutes=30))
    assert (flow.trigger, flow.utm_campaign) == (("cart_abandoned",), "your-cart-is-waiting")
    assert read_flow_settings()["order_preparing"].status == "draft"


def test_a_marketing_flow_says_how_old_its_occurrences_may_be() -> None:
    """Only what serves an order has a usual window."""
    told: dict[str, Any] = {
        "display_name": "Hello", "gives": "A greeting.", "trigger": "customer_created", "channels": ["email"],
        "destination": "klaviyo", "owner": "me",
    }  # fmt: skip
    assert FlowSettings(**told, kind="transactional").window == timedelta(hours=2)
    with pytest.raises(ValueError, match="window: is required"):
        FlowSettings(**told, kind="marketing")


def test_a_flow_asks_for_what_its_settings_name() -> None:
    """What the SQL looks at is what the settings say, or the flow would wait for ever."""
    macros = yaml.safe_load((PROJECT / "macros" / "flows" / "_macros.yml").read_text(encoding="utf-8"))[
        "macros"
    ]
    asking = [
        macro["name"] for macro in macros if macro["arguments"][0]["name"] in {"event_name", "event_names"}
    ]
    called = re.compile(rf"(?:{'|'.join(asking)})\(\s*(\[[^\]]*\]|'[^']*')")
    for name, flow in read_flow_settings().items():
        sql = (PROJECT / "models" / "flows" / f"{name}.sql").read_text(encoding="utf-8")
        asked = [re.findall("'([^']*)'", found) for found in called.findall(sql)]
        assert asked == [list(flow.trigger)], name


def test_a_flow_that_nobody_can_trigger_is_told(tmp_path: Path) -> None:
    """By name, with what to connect; time makes nothing of nothing, audiences need nobody, a draft waits for nobody."""
    flows = read_flow_settings({"*": {"status": "active"}, "order_preparing": {"status": "draft"}})
    nothing = Settings(_env_file=None, perennial_home=tmp_path)
    told = without_sender(flows, nothing)
    assert [line for line in told if line.startswith("flow order_under_review waits for cart_status_updated")]
    assert any("connect jane" in line for line in told)
    unheard = {line.split()[1] for line in told}
    assert unheard.isdisjoint({"order_preparing", "lapsed_customer_winback"})
    assert "cart_abandoned_recovery" in unheard, "a silence is one of carts that somebody tells of"
    jane = nothing.model_copy(
        update={"jane_enabled": True, "jane_webhook_token": "t", "jane_signing_secret": "s"}
    )
    assert {line.split()[1] for line in without_sender(flows, jane)}.isdisjoint(
        {"order_under_review", "cart_abandoned_recovery", "post_purchase_review_request"}
    )
    shopify = nothing.model_copy(update={"shopify_client_secret": SecretStr("s")})
    heard = flows.keys() - {line.split()[1] for line in without_sender(flows, shopify)}
    assert "welcome" in heard
    assert heard.isdisjoint({"checkout_abandonment", "order_fulfilled_followup", "refund_service"}), (
        "no order of Shopify's"
    )


def test_what_a_flow_s_destination_is_not_told_is_named() -> None:
    """Field by field with the row that would allow it; nothing of a draft, or where it is told all."""
    flows = read_flow_settings({"*": {"status": "active"}, "price_drop_alert": {"status": "draft"}})
    assert all(context_fields(name) for name in flows), "each shipped flow's SQL can be read"
    told = advice_on_withheld(flows)
    assert (
        "flow low_stock_alert does not tell klaviyo product_id, product_name, brand, category, products: "
        "a row of dbt/seeds/destination_fields.csv would allow each, such as klaviyo,detail,product_id,WHY"
    ) in told
    named = {line.split()[1] for line in told}
    assert len(named) == 14
    assert named.isdisjoint({"price_drop_alert", "back_in_stock_alert", "tier_upgraded"})
    draft = withheld_advice("price_drop_alert", flows["price_drop_alert"])
    assert draft is not None, "who reviews a draft is told"
    assert "product_count" not in draft


def test_an_audience_that_nobody_can_fill_is_told(tmp_path: Path) -> None:
    """By what it asks for: an event that its SQL names, or a trait that such events bring."""
    nothing = Settings(_env_file=None, perennial_home=tmp_path)
    told = audiences_without_sender(nothing)
    assert any(line.startswith("audience window_shoppers asks for product_views_30d") for line in told)
    assert any("connect partners" in line for line in told)
    names = {line.split()[1] for line in told}
    assert "cart_abandoners_7d" in names, "a silence is one of carts that somebody tells of"
    assert "vip_customers" not in names, "what needs no event"
    partner = nothing.model_copy(update={"partner_api_keys": (SecretStr("acme:key"),)})
    assert "window_shoppers" not in {line.split()[1] for line in audiences_without_sender(partner)}


def test_a_new_name_goes_on_where_the_former_one_was() -> None:
    """A flow that was active since March under another name has been active since March."""
    march, june = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    flows = {FLOW: read_flow_settings({FLOW: {"status": "active", "previous_names": ["old"]}})[FLOW]}
    assert since_when(flows, {FLOW: ("active", june), "old": ("active", march)}, june)[FLOW] == (
        "active",
        march,
    )
    assert since_when(flows, {FLOW: ("active", june), "old": ("paused", march)}, june)[FLOW] == (
        "active",
        june,
    )
    assert since_when(flows, {}, june)[FLOW] == ("active", june)
