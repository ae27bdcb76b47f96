"""Why two records are one person's, or two: the guards' own mart, the command line, and the path that it tells."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from click.testing import Result
from typer.testing import CliRunner

from console.cli import app
from console.output import out
from perennial.home import Home
from perennial.settings import load_settings
from tests.scene import KNOWN_SINCE, Scene
from tests.warehouse.story import at
from warehouse.builder import Builder
from warehouse.identity import Known, Shown, shortest_path
from warehouse.publish import publish

LONG_AGO = datetime(2025, 3, 1, tzinfo=UTC)
KIOSK = "kiosk@greenleaf.example"
COMPARED = "test.perennial.assert_customers_say_what_their_fields_say"


def till(
    scene: Scene, person: str, name: str, birth_date: str, moment: datetime = KNOWN_SINCE, **contact: str
) -> None:
    """Land what the point of sale knows of a customer."""
    row: dict[str, object] = {
        "id": person, "createdAt": LONG_AGO.isoformat(), "updatedAt": moment.isoformat(), "type": "recCustomer",
        "name": name, "birthDate": birth_date, "state": "CO", "country": "US", "isLoyal": False, "groups": [],
        "phone": None, "email": None, "consentsToPromotionalEmail": False, "consentsToPromotionalSMS": False, **contact,
    }  # fmt: skip
    scene.land("flowhub", "customers", moment, row, hashlib.sha256(json.dumps(row).encode()).hexdigest())


def compared(scene: Scene, moment: datetime) -> str:
    """Run a scheduled build, and return what came of comparing the customers with the origins of their fields."""
    scene.clock.set(moment, running=False)
    with Builder(scene.settings) as builder:
        report = builder.build(lane="scheduled")
    assert report.ok, report.error
    [status] = [node.status for node in report.nodes if node.unique_id == COMPARED]
    return status


@pytest.fixture(scope="module")
def scene(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Let people share what people share, build and publish it."""
    scene = Scene.on(deployed, tmp_path_factory.mktemp("explaining") / "home", {})
    (scene.home / "home.json").write_text('{"kind": "demo"}', encoding="utf-8")
    scene.set_flows()
    with duckdb.connect(str(scene.home / "warehouse.duckdb")) as warehouse:
        # as an analyst's pull request would bring it
        warehouse.execute(
            "insert into seeds.do_not_link values ('flowhub_customer:gus', 'flowhub_customer:august', 'father and son')"
        )
    scene.know("ann")
    scene.jane_cart("cart_status", "pending", at(17), "c1", "ann", None)
    scene.know("old_ann", at(17, 1))
    scene.merge("ann", "old_ann", at(17, 2))
    till(scene, "bob", "Bob Reyes", "1980-01-01", phone="+13035550101")
    till(scene, "bea", "Bea Cole", "1991-06-07", phone="+13035550101")
    till(scene, "cat", "Cat Ames", "1975-02-03", email=KIOSK)
    till(scene, "dan", "Dan Boyd", "1982-12-13", email=KIOSK)
    till(scene, "eve", "Eve Dunn", "1969-05-05", LONG_AGO, phone="+13035550102")
    till(scene, "fay", "Fay Epps", "1999-09-09", at(17), phone="+13035550102")
    till(scene, "gus", "Gus Ford", "1950-04-04", phone="+13035550103")
    till(scene, "august", "Gus Ford", "1950-04-04", phone="+13035550103")
    till(scene, "ida", "Ida Gray", "1988-08-08", email="jon@example.com")
    till(scene, "ida", "Ida Gray", "1988-08-08", at(17), email="ida@example.com")
    till(scene, "jon", "Jon Hale", "1977-07-07", at(17, 5), email="jon@example.com")
    for who in ("ida", "jon"):
        told = {"email": f"{who}@example.com", "device_id": "tablet"}
        scene.partner_event("customer_updated", at(17, 10), told, {})
    assert compared(scene, at(18)) == "pass"
    with duckdb.connect(str(scene.home / "warehouse.duckdb")) as warehouse:
        publish(warehouse, Home(scene.home).published, 2, at(18))
    return scene


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a table's row stay a line, and settings be read anew, as in a process of its own."""
    monkeypatch.setattr(out, "width", 200)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def identity(scene: Scene, *words: str) -> Result:
    """Call ``perennial identity``."""
    environment = {"PERENNIAL_HOME": str(scene.home), "PERENNIAL_CLOCK": "sandbox"}
    return CliRunner().invoke(app, ["identity", *words], env=environment)


@pytest.mark.slow
def test_a_path_is_told_with_source_time_and_rule(scene: Scene) -> None:
    """From the till to a customer whom Shopify merged away: by e-mail, and by the merge."""
    [merged] = scene.rows(
        """
        select node from marts.identity_links
        where identifier_type = 'shopify_merge' and node not like '%' || identifier_value
        """
    )
    told = identity(scene, "why", "flowhub_customer:fh-ann", merged["node"])
    assert told.exit_code == 0, told.output
    lines = [line.strip() for line in told.output.splitlines()]
    assert "2 steps" in lines[0]
    assert lines[1] == "flowhub_customer:fh-ann"
    assert "email ann@example.com" in lines
    assert "tier 2, always: Shopify says that the two are one customer" in lines
    assert any("on both since 2026-03-15 17:02:00: shopify" in line for line in lines)
    assert lines[-2] == merged["node"]
    assert "do_not_link.csv" in lines[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "other", "because"),
    [
        ("bob", "bea", "given names differ"),
        ("bob", "bea", "birth dates differ (1980-01-01; 1991-06-07)"),
        ("cat", "dan", "a placeholder: the seed placeholder_identifiers lists it"),
        ("eve", "fay", "given to another on 2026-03-15"),
        ("gus", "august", "do_not_link keeps flowhub_customer:gus and flowhub_customer:august apart: father and son"),
        ("ida", "jon", "flowhub_customer:ida shows it no more"),
        ("ida", "jon", "a device belongs to one known person at most"),
        ("cat", "jon", "No record of the one shares a value with a record of the other"),
    ],
)  # fmt: skip
def test_two_people_are_told_what_keeps_them_apart(scene: Scene, one: str, other: str, because: str) -> None:
    """Each guard says in words what it holds back."""
    told = identity(scene, "why", f"flowhub_customer:{one}", f"flowhub_customer:{other}")
    assert told.exit_code == 0, told.output
    assert told.output.startswith("Two people: ")
    assert because in told.output


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ann@example.com", "flowhub_customer:fh-ann", "customer_id", "phone"])
def test_a_person_is_shown_with_the_origin_of_each_field(scene: Scene, name: str) -> None:
    """Found by whatever somebody knows of her; legal fields by the till, contact by the shop, and her former id."""
    [ann] = scene.rows("select customer_id, phone from marts.dim_customers where email = 'ann@example.com'")
    asked = {"customer_id": ann["customer_id"], "phone": f"({ann['phone'][2:5]}) {ann['phone'][5:]}"}.get(
        name, name
    )
    told = identity(scene, "show", asked)
    assert told.exit_code == 0, told.output
    rows = [line.split() for line in told.output.splitlines() if line.strip()]
    assert rows[0][0] == f"{ann['customer_id']}:"
    won = {row[0]: row[-1] for row in rows if row[-1].endswith(("_priority", "_record", "_id"))}
    assert won["birth_date"] == "legal_priority"
    assert won["email"] == "contact_priority"
    assert any(row[0] == "jane_user:2539151721" for row in rows)
    assert rows[-1][0] == "Next:"


@pytest.mark.slow
def test_who_is_asked_for_by_a_shared_value_is_asked_back(scene: Scene) -> None:
    """An error names the people by their ids, and no value; a name that is no record's has a next step."""
    several = identity(scene, "show", "+13035550101")
    nobody = identity(scene, "show", "nobody@example.com")
    assert (several.exit_code, nobody.exit_code) == (1, 1)
    assert "belongs to 2 people: c_" in several.stderr
    assert "nobody is known by that name" in nobody.stderr
    assert "+13035550101" not in several.output
    assert "nobody@" not in nobody.output
    unknown = identity(scene, "why", "flowhub_customer:bob", "jane_contact:nobody@example.com")
    assert unknown.exit_code == 1
    assert "the second name is no record's as of build 2" in unknown.stderr
    assert "perennial identity show" in unknown.stderr


@pytest.mark.slow
def test_the_guards_list_what_they_hold_back(scene: Scene) -> None:
    """A kiosk's address is found with how many show it; a recycled number with its day; hers alone is no guard's."""
    guards = {
        row["identifier_value"]: row
        for row in scene.rows(
            "select * from marts.identity_guards where identifier_type in ('email', 'phone')"
        )
    }
    assert set(guards) == {KIOSK, "+13035550101", "+13035550102"}
    kiosk, shared, recycled = (guards[value] for value in (KIOSK, "+13035550101", "+13035550102"))
    assert (kiosk["verdict"], kiosk["block_reason"], kiosk["person_count"]) == ("blocked", "placeholder", 2)
    assert (shared["verdict"], shared["given_name_count"], shared["birth_date_count"]) == (
        "links_on_agreement",
        2,
        2,
    )
    assert recycled["recycled_at"] == at(17).replace(tzinfo=None)


@pytest.mark.slow
def test_a_person_who_is_told_otherwise_is_found(scene: Scene, tmp_path: Path) -> None:
    """Every scheduled build compares ``dim_customers`` with the origins of its fields."""
    other = Scene.on(scene.home, tmp_path / "home", {})
    with duckdb.connect(str(other.home / "warehouse.duckdb")) as warehouse:
        warehouse.execute("update marts.dim_customers set city = 'Elsewhere' where full_name = 'Eve Dunn'")
    assert compared(other, at(18, 1)) == "warn"


def known(node: str, given_name: str | None = None, birth_date: date | None = None) -> Known:
    """Return a record of one person."""
    return Known(node, "c_ann", is_rebuilt=False, given_name=given_name, surname=None, birth_date=birth_date)


def shown(
    node: str, identifier_type: str, value: str, rule: str = "unless_contradicted", verdict: str = "links"
) -> Shown:
    """Return that a record shows a value."""
    tier = {"email": 3, "phone": 4, "device_id": 5}[identifier_type]
    return Shown(
        node=node,
        identifier_type=identifier_type,
        identifier_value=value,
        is_after_recycling=False,
        tier=tier,
        rule=rule,
        why="",
        verdict=verdict,
        source="flowhub",
        first_seen_at=KNOWN_SINCE,
        last_seen_at=KNOWN_SINCE,
    )


def nodes_of(records: list[Known], links: list[Shown], one: str, other: str) -> list[str]:
    """Return the records on the path."""
    steps = shortest_path(links, {record.node: record for record in records}, one, other)
    return [one, *(step.there.node for step in steps)]


def test_a_shorter_way_that_joins_nobody_is_not_told() -> None:
    """A value that needs agreement explains those who agree; a device leads to its person, and no further."""
    contested = "links_on_agreement"
    records = [known("a:1", "ann"), known("a:2"), known("a:3", "ann"), known("device:d")]
    links = [
        shown("a:1", "email", "e", verdict=contested), shown("a:2", "email", "e", verdict=contested),
        shown("a:1", "phone", "p"), shown("a:3", "phone", "p"),
        shown("a:3", "email", "f"), shown("a:2", "email", "f"),
        *(shown(node, "device_id", "d", "attach") for node in ("a:1", "a:2", "device:d")),
    ]  # fmt: skip
    assert nodes_of(records, links, "a:1", "a:2") == ["a:1", "a:3", "a:2"]
    assert nodes_of(records, links, "a:1", "device:d") == ["a:1", "device:d"]


def test_what_the_tiers_before_agreed_in_is_told_where_no_record_agrees_by_itself() -> None:
    """A nameless record on a shared address was joined by what others had told of her."""
    records = [known("a:1", "ann"), known("a:2")]
    links = [shown(node, "email", "e", verdict="links_on_agreement") for node in ("a:1", "a:2")]
    assert nodes_of(records, links, "a:1", "a:2") == ["a:1", "a:2"]
