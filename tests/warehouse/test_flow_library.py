"""A copy of a shipped flow is a flow, the list tells what there is to copy, and a review who would enter."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import yaml

from perennial.errors import PerennialError
from perennial.home import Home
from perennial.settings import Settings
from tests.scene import Scene, settings_in
from warehouse import flow_library, flow_settings
from warehouse.flow_library import copy_flow, library
from warehouse.flow_review import review
from warehouse.flow_settings import read_flow_settings
from warehouse.project import PROJECT


@pytest.fixture(name="project")
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of what settings are read from, which a test may write to."""
    copy = tmp_path / "dbt"
    for part in ("models/flows", "models/audiences", "seeds"):
        shutil.copytree(PROJECT / part, copy / part)
    shutil.copy(PROJECT / "dbt_project.yml", copy)
    for module in (flow_settings, flow_library):
        monkeypatch.setattr(module, "PROJECT", copy)
    return copy


@pytest.mark.parametrize("source", ["welcome", "order_preparing", "price_drop_alert", "budtender_followup"])
def test_a_shipped_flow_can_be_copied(project: Path, source: str) -> None:
    """Nothing of the old name is left, and the copy is a draft that the build would take."""
    sql, yml = copy_flow("weekend_offer", source)
    assert sql == project / "models" / "flows" / "weekend_offer.sql"
    flows = read_flow_settings()
    assert (flows["weekend_offer"].status, flows["weekend_offer"].utm_campaign) == ("draft", "weekend-offer")
    assert flows["weekend_offer"].trigger == flows[source].trigger
    written = yaml.safe_load(yml.read_text(encoding="utf-8"))
    assert [model["name"] for model in written["models"]] == ["weekend_offer"]
    assert all(test["name"].startswith("weekend_offer_") for test in written["unit_tests"])
    assert {test["model"] for test in written["unit_tests"]} == {"weekend_offer"}
    assert sql.read_text(encoding="utf-8") == (sql.parent / f"{source}.sql").read_text(encoding="utf-8"), (
        "what the message is told keeps its keys"
    )


@pytest.mark.parametrize(
    ("name", "source", "cause"),
    [
        ("Weekend Offer", "welcome", "can't be the name"),
        ("vip_customers", "welcome", "there is a model vip_customers already"),
        ("reasons", "welcome", "there is a seed reasons already"),
        ("a" * 64, "welcome", "longer than 63 letters"),
        ("../welcome_again", "welcome", "can't be the name"),
        ("welcome'; drop table x", "welcome", "can't be the name"),
        ("weekend_offer", "welcom", "there is no flow welcom"),
        ("test_offer", "welcome", "internal words"),
    ],
)
def test_what_is_no_flow_leaves_nothing_behind(project: Path, name: str, source: str, cause: str) -> None:
    """The error says why, and the folder is as it was."""
    before = sorted((project / "models").rglob("*"))
    with pytest.raises(PerennialError, match=cause):
        copy_flow(name, source)
    assert sorted((project / "models").rglob("*")) == before


def test_the_library_tells_what_nobody_sends(tmp_path: Path) -> None:
    """A draft that waits for Jane is told apart where Jane is not connected; the most urgent come first."""
    listed = library(Settings(_env_file=None, perennial_home=tmp_path))
    heard = {flow.name: flow.is_heard for flow in listed}
    assert not heard["order_preparing"]
    assert heard["lapsed_customer_winback"]
    ranks = [(flow.settings.kind == "marketing", flow.settings.rank) for flow in listed]
    assert ranks == sorted(ranks)


@pytest.mark.slow
def test_a_warehouse_of_another_version_is_said_plainly(tmp_path: Path) -> None:
    """Not with the database's own words about a column, and the copy is removed."""
    settings = settings_in(tmp_path)
    with duckdb.connect(str(Home(tmp_path).warehouse)) as warehouse:
        warehouse.execute("create table something_else as select 1 as one")
    with pytest.raises(PerennialError, match="another version"):
        review(settings, "cart_abandoned_recovery")
    assert not (tmp_path / "review").exists()


def test_a_review_tells_who_would_enter_and_enrolls_nobody(deployed: Path, tmp_path: Path) -> None:
    """A draft is asked about the days behind, in a copy: the home is as it was, and none of it is landed."""
    flows = {"order_preparing": {"status": "draft"}, "cart_abandoned_recovery": {"destination": "webhook"}}
    scene = Scene.on(deployed, tmp_path / "home", flows)
    at = datetime(2026, 3, 10, 18, tzinfo=UTC)
    for person in ("ann", "dana", "eve"):
        scene.know(person)
    scene.consent("dana", at, "sms", "opted_out")
    scene.consent("dana", at, "email", "opted_out")
    for cart, person in {"c1": "ann", "c2": "dana", "c3": "eve"}.items():
        scene.jane_cart("cart_abandoned", "pending", at, cart, person, None)
    scene.jane_cart("cart_status", "verification", at + timedelta(hours=1), "c3", "eve", None)
    scene.set_flows()
    scene.build(at + timedelta(days=2))
    landed = scene.log.last_seq()
    before = scene.rows("select * from decisions.int_flow_decisions")
    found = review(scene.settings, "cart_abandoned_recovery")
    assert found.as_of == at + timedelta(days=2)
    told = {answer.reason: (answer.occurrences, answer.people) for answer in found.answers}
    assert told == {None: (1, 1), "no_consent": (1, 1), "superseded": (1, 1)}
    assert all(answer.sentence for answer in found.answers if answer.reason)
    assert found.advice is not None
    assert found.advice.startswith("flow cart_abandoned_recovery does not tell webhook products: a row of")
    assert scene.log.last_seq() == landed
    assert scene.rows("select * from decisions.int_flow_decisions") == before
    assert not (scene.home / "review").exists()
    with pytest.raises(PerennialError, match="there is no flow cart_recovery"):
        review(scene.settings, "cart_recovery")
