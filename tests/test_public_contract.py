"""The names that others script against."""

import re
from pathlib import Path

import pytest
import typer.main
import yaml

from console.cli import app
from extractors.receiver.app import create_app
from perennial.clock import WallClock
from perennial.settings import Settings

ROOT = Path(__file__).parents[1]
MAKE_TARGETS = ("run", "test", "dev", "bench", "lint")
COMMANDS = {
    "run", "serve", "worker", "sandbox", "check", "status", "push", "rebuild",
    "erase", "explain", "flow", "identity", "order", "quarantine", "deadletters", "holds", "pause", "resume",
}  # fmt: skip
SETTINGS = (
    "PERENNIAL_HOME", "PERENNIAL_TIMEZONE", "PERENNIAL_TARGET", "PERENNIAL_LANDING_URL",
    "PERENNIAL_LEDGER_URL", "PERENNIAL_CLOCK", "PERENNIAL_RECEIVER_PORT", "PERENNIAL_SANDBOX_PORT",
    "PERENNIAL_CONSOLE_PORT", "POINTS_EXPIRING_DAYS", "CART_ABANDONED_AFTER_MINUTES",
    "IDENTITY_DEVICES_MERGE", "IDENTITY_MAX_RECORDS", "IDENTITY_MAX_ABSORBED",
    "FLOWHUB_ENABLED", "JANE_ENABLED", "OMNI_ENABLED", "FLOWHUB_BASE_URL", "FLOWHUB_CLIENT_ID",
    "FLOWHUB_API_KEY", "FLOWHUB_LOCATION_ID", "FLOWHUB_ORDER_AHEAD_CLIENT_ID",
    "FLOWHUB_ORDER_AHEAD_TOKEN", "FLOWHUB_ROOM_IDS", "FLOWHUB_PURCHASE_CATEGORIES",
    "FLOWHUB_ORDER_AMOUNT_UNIT", "FLOWHUB_MAP_CUSTOM_CATEGORY_TO_SUB_CATEGORY",
    "FLOWHUB_SYNC_ORDERS", "FLOWHUB_MAUI", "JANE_WEBHOOK_TOKEN", "JANE_SIGNING_SECRET",
    "JANE_SIGNING_SECRET_PREVIOUS", "JANE_TIMEZONE", "OMNI_SHARED_SECRET", "OMNI_KLAVIYO_API_KEY",
    "SHOPIFY_CLIENT_SECRET", "PARTNER_API_KEYS", "MESSAGING_WEBHOOK_SECRET", "AIQ_BASE_URL",
    "AIQ_API_KEY", "AIQ_INTEGRATOR_SLUG", "KLAVIYO_BASE_URL", "KLAVIYO_API_KEY", "KLAVIYO_SUPPRESSION_API_KEY",
    "WEBHOOK_URL", "WEBHOOK_SIGNING_SECRET", "WEBHOOK_SIGNING_SECRET_PREVIOUS", "CSV_DROP_URL",
    "ALERT_WEBHOOK_URL", "ALERT_EMAIL_TO", "ALERT_EMAIL_FROM", "SMTP_URL",
)  # fmt: skip
DEFAULTS = {
    "PERENNIAL_HOME": Path(".perennial"), "PERENNIAL_TIMEZONE": "America/Denver",
    "PERENNIAL_TARGET": "duckdb", "PERENNIAL_CLOCK": "wall",
    "PERENNIAL_RECEIVER_PORT": 8800, "PERENNIAL_RECEIVER_WORKERS": 2, "PERENNIAL_SANDBOX_PORT": 8700,
    "PERENNIAL_CONSOLE_PORT": 8900, "POINTS_EXPIRING_DAYS": 30, "CART_ABANDONED_AFTER_MINUTES": 30,
    "FLOWHUB_ORDER_AMOUNT_UNIT": "dollars", "JANE_TIMEZONE": "UTC", "PERENNIAL_HOST": "127.0.0.1",
}  # fmt: skip
# What senders post to and operators look at.
RECEIVER = {
    "POST /webhooks/jane/cart-status", "POST /webhooks/jane/cart-abandoned", "POST /webhooks/omni",
    "POST /webhooks/shopify/{topic}", "POST /webhooks/messaging", "POST /v1/events",
    "GET /healthz", "GET /metrics",
}  # fmt: skip
# The columns that readers of the published tables may count on; a table may have more.
TABLES = {
    "dim_customers": "customer_id first_name email phone birth_date birth_month state country latitude longitude "
    "time_zone programme email_consent sms_consent is_loyal tags",
    "customer_identifiers": "identifier_type identifier_value source customer_id is_shared first_seen_at last_seen_at",
    "customer_id_changes": "old_customer_id new_customer_id changed_at reason",
    "address_consent": "channel address status changed_at basis source",
    "fct_events": "event_id event_name source occurred_at received_at customer_id store_id object_type object_id "
    "status tier reward_type reason amount properties",
    "fct_orders": "order_id channel store_id customer_id status created_at completed_at subtotal discount tax "
    "delivery_fee total",
    "fct_order_lines": "order_id line_no product_name category sku brand price discount",
    "dim_products": "product_id product_name variant brand category subtype",
    "fct_inventory_levels": "product_id store_id room_id on_hand on_hold available price price_changed_at "
    "purchase_category",
    "customer_traits": "customer_id email_consent sms_consent orders_count first_order_at last_order_at lifetime_value "
    "spend_365d recency_score frequency_score monetary_score average_order_value lifecycle_stage favourite_category "
    "favourite_brand favourite_store_id points_balance points_expire_at cashback_balance cashback_expires_at tier "
    "tier_expires_at member_status birth_month engagement_score cart_intent_score cart_removals_7d assigned_budtender "
    "last_budtender auto_orders_active pricing_tiers store_credit tags properties atdata recommended_products",
    "customer_trait_history": "customer_id valid_from has_ended build_no orders_count points_balance engagement_score",
    "list_members": "list_name customer_id entered_at",
    "list_changes": "list_name customer_id change changed_at",
    "audience_members": "audience_name customer_id entered_at",
    "audience_changes": "audience_name customer_id change changed_at",
    "flow_catalogue": "flow_name display_name status active_since kind triggers window_seconds channels destination",
    "flow_standing": "flow_name customer_id reason detail",
    "flow_decisions": "decision_id flow_name flow_version mode customer_id subject_node trigger_key trigger_event_id "
    "triggered_at decided_at build_no outcome reason detail",
    "flow_pending": "flow_name trigger_key customer_id last_failed_gate window_ends_at",
    "flow_enrollments": "enrollment_id flow_name customer_id trigger_key triggered_at enrolled_at not_before "
    "expires_at channels destination context",
    "flow_exits": "enrollment_id flow_name exited_at reason",
    "flow_performance": "flow_name performance_date channel candidates enrolled skipped skipped_by_reason accepted "
    "delivered opened clicked converted revenue bounced unsubscribed",
    "flow_lift": "flow_name people_treated people_held_out conversion_rate_treated conversion_rate_held_out "
    "lift_absolute lift_relative lift_low lift_high revenue_per_person_treated revenue_per_person_held_out verdict",
    "activation_receipts": "enrollment_id destination status attempts accepted_at error",
}


def documented(text: str) -> list[str]:
    """Return the settings that ``.env.example`` assigns."""
    return re.findall(r"^([A-Z][A-Z0-9_]*)=", text, re.MULTILINE)


def test_the_makefile_has_every_target() -> None:
    """What the README tells people to type exists."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in MAKE_TARGETS:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_command_line_has_every_command() -> None:
    """A script's command is never renamed away."""
    group = typer.main.get_group(app)
    assert set(group.commands) >= COMMANDS
    hidden = {name for name, command in group.commands.items() if command.hidden}
    assert set(group.commands) - hidden == COMMANDS


def test_the_receiver_has_every_path(tmp_path: Path) -> None:
    """A sender's address is never renamed away."""
    served = create_app(Settings(_env_file=None, perennial_home=tmp_path), WallClock())
    found = {
        f"{method.upper()} {path}"
        for path, methods in served.openapi()["paths"].items()
        for method in methods
    }
    assert found == RECEIVER
    assert served.openapi_url == "/openapi.json"


@pytest.mark.parametrize("table", TABLES)
def test_every_published_table_keeps_its_columns(table: str) -> None:
    """A query that others have written goes on working: the enforced contract has the columns."""
    [path] = (ROOT / "dbt" / "models").rglob(f"{table}.yml")
    [model] = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    assert model["config"]["access"] == "public"
    assert model["config"]["contract"] == {"enforced": True}
    assert {column["name"] for column in model["columns"]} >= set(TABLES[table].split())


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_read(name: str) -> None:
    """A setting of the contract is a field."""
    assert name.lower() in Settings.model_fields


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_defaults_stay(name: str, value: object) -> None:
    """An installation that sets nothing behaves as documented."""
    assert Settings.model_fields[name.lower()].default == value


def test_the_example_names_every_setting_once() -> None:
    """``.env.example`` is complete, and has no setting that nobody reads."""
    names = documented((ROOT / ".env.example").read_text(encoding="utf-8"))
    assert sorted(names) == sorted(name.upper() for name in Settings.model_fields)


def test_the_example_sets_defaults_and_no_secret() -> None:
    """A copied example changes nothing, and holds no credential."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if re.match(r"^[A-Z]", line))
    assert Settings(_env_file=ROOT / ".env.example") == Settings(_env_file=None)
    assert not [name for name, value in given.items() if value and re.search(r"KEY|SECRET|TOKEN", name)]


def test_the_docs_explain_every_setting() -> None:
    """docs/settings.md has a row for each."""
    rows = re.findall(
        r"^\| `([A-Z0-9_]+)` \|", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(rows) == sorted(name.upper() for name in Settings.model_fields)


def test_the_readme_shows_the_commands_and_the_tree() -> None:
    """What the README says to type and shows as folders exists."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {"make run", "make dev", "make test"} <= set(re.findall(r"make [a-z-]+", readme))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make ([a-z-]+)`?", readme)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    tree = readme[readme.index("<!-- tree -->") : readme.index("<!-- /tree -->")]
    shown = re.findall(r"^(\S+)", tree.replace("<!-- tree -->", "").replace("```", ""), re.MULTILINE)
    assert shown
    assert [path for path in shown if path != "text" and not (ROOT / path).exists()] == []


def test_the_map_of_the_push_names_each_of_its_files() -> None:
    """docs/activation.md says of every module and room of ``reverse_etl`` what it is for."""
    text = (ROOT / "docs" / "activation.md").read_text(encoding="utf-8")
    of_files = text.partition("| job | in `reverse_etl/` |\n")[2].partition("\n\n")[0]
    modules = {path.name for path in (ROOT / "reverse_etl").glob("*.py")} - {"__init__.py"}
    rooms = {f"{path.parent.name}/" for path in (ROOT / "reverse_etl").glob("*/__init__.py")}
    assert set(re.findall(r"`([a-z_]+(?:\.py|/))`", of_files)) == modules | rooms


def test_the_readme_calls_the_tests_that_ci_calls() -> None:
    """CI and a stranger's laptop agree."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "\nmake test\n" in script
    assert "\nmake lint\n" in script
