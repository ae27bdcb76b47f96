"""A person is erased: from every file, through every crash, and for good."""

import json
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from erasure.person import find
from extractors.landing.log import LandingLog
from extractors.landing.tombstone import TOMBSTONE
from perennial.clock import sandbox_clock
from perennial.home import Home
from perennial.published import open_published
from reverse_etl.push import push
from tests.erasure.erasing import erase
from tests.erasure.search import found_in
from tests.erasure.story import ANN, BOB, CASTS, Story, at, ledger_rows
from tests.reverse_etl.sandbox_vendors import serving_sandbox
from tests.scene import settings_in, stable_number
from tests.warehouse.test_rebuild import marts
from warehouse.rebuild import rebuild

# Where the command is killed, one after the other, each time going on where the one before was cut off.
CRASHES = (
    "erasure_begun",
    "erasure_closed",
    "erasure_ledger",
    "erasure_rewriting:3",
    "erasure_step",
    "erasure_sets",
    "erasure_local",
    "erasure_told",
    "erasure_told_all",
)
NOBODY_THERE = "http://127.0.0.1:9"
VENDORS = {"sandbox"}  # what the sandbox's vendors keep is theirs

Rows = dict[str, list[tuple[Any, ...]]]
Landed = dict[tuple[int, int], tuple[Any, ...]]


@dataclass
class Erased:
    """The story before Ann was erased, and after."""

    story: Story
    before: Path
    values: list[str]
    bob: Rows
    landed: Landed
    codes: list[int | None]
    plan: str
    unreached: str
    said: str
    klaviyo_told: list[str]
    environment: dict[str, str]


def landed(story: Story) -> Landed:
    """Return every landed row by its place."""
    log = LandingLog(story.settings.landing_url)
    streams = sorted({stream for batch in log.batches() for stream in batch.streams})
    return {
        (row.seq, row.row_no): (stream, row.source_key, dict(row.headers), dict(row.request), row.payload)
        for stream in streams
        for source, _, name in [stream.partition("/")]
        for row in log.read(source, name)
    }


def about_bob(story: Story) -> Rows:
    """Return the rows of every mart that are about Bob."""
    with duckdb.connect(str(story.settings.home / "warehouse.duckdb"), read_only=True) as warehouse:
        bob = find(warehouse, BOB.email)
    assert bob is not None
    his = [
        *bob.customer_ids,
        *bob.decisions,
        *bob.nodes,
        BOB.email.lower(),
        BOB.phone,
        "left-bob",
        "ordered-bob",
    ]
    his += [f"order-bob-{number}" for number in range(2)]
    return {
        name: [row for row in rows if any(value in str(row) for value in his)]
        for name, rows in marts(story.scene).items()
    }


@pytest.fixture(scope="module")
def erased(deployed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erased]:
    """Play the story, then erase Ann with a command that is killed again and again."""
    folder = tmp_path_factory.mktemp("erasure")
    home, said = folder / "home", folder / "said"
    with serving_sandbox(folder / "vendors", sandbox_clock(settings_in(home))) as vendors:
        story = Story.on(deployed, home, vendors)
        story.play()
        with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as warehouse:
            ann = find(warehouse, ANN.email)
        assert ann is not None
        values = [
            ANN.email, f"old.{ANN.email}", ANN.phone, ANN.phone.removeprefix("+1"), ANN.written_phone, ANN.name,
            "Zephyrine", ANN.street, ANN.birth_date, ANN.device, ANN.flowhub_id, str(ANN.shopify_id),
            str(ANN.shopify_id + 1), str(ANN.jane_id), *ann.customer_ids, *ann.decisions,
        ]  # fmt: skip
        before, rows = folder / "before", landed(story)
        shutil.copytree(home, before)
        environment = story.environment
        assert erase(environment, ANN.flowhub_id, said, yes=False) == 1
        plan, bob = said.read_text(encoding="utf-8"), about_bob(story)
        codes = [erase(environment, ANN.written_phone, said, crash) for crash in CRASHES[:-2]]
        codes.append(erase(environment, ANN.email.upper(), said, KLAVIYO_BASE_URL=NOBODY_THERE))
        unreached = said.read_text(encoding="utf-8")
        work = "".join(path.read_text(encoding="utf-8") for path in (home / "erasures").iterdir())
        assert ANN.email.lower() in work, "what is needed to tell Klaviyo"
        assert not [one for one in (ANN.name, ANN.phone, ANN.flowhub_id) if one in work], (
            "nothing else is kept"
        )
        codes += [erase(environment, ANN.email, said, crash) for crash in CRASHES[-2:]]
        codes.append(erase(environment, ANN.email, said))
        told = [
            call["data"]["attributes"]["profile"]["data"]["attributes"]["email"]
            for call in vendors.received.bodies("klaviyo", "accepted")
            if isinstance(call, dict) and call["data"]["type"] == "data-privacy-deletion-job"
        ]
        yield Erased(
            story,
            before,
            values,
            bob,
            rows,
            codes,
            plan,
            unreached,
            said.read_text(encoding="utf-8"),
            told,
            environment,
        )


def test_a_killed_erasure_is_finished_by_the_same_command(erased: Erased) -> None:
    """Whatever she is called, and wherever it was cut off; who can't be reached leaves it open."""
    assert erased.codes == [*([137] * 7), 1, *([137] * 2), 0]
    assert "klaviyo was not told yet" in erased.unreached
    assert "Erased." in erased.said


def test_the_plan_says_what_there_is_of_her_and_masks_it(erased: Erased) -> None:
    """Whoever looks on learns little; what people must do elsewhere is told before anything is done."""
    plan, _, by_hand = erased.plan.partition("by hand")
    assert "a…@example.com" in plan
    assert "flowhub/customers" in plan
    assert ANN.phone not in plan
    assert "delete her in Flowhub" in by_hand
    assert ANN.phone in by_hand, "AIQ must be told which contact is meant"


def test_nothing_of_her_is_left_in_any_file(erased: Erased) -> None:
    """No file of the home holds a value of hers, in any case, coded or not."""
    held = {name.partition("/")[0] for name, _ in found_in(erased.before, erased.values, VENDORS)}
    assert held >= {
        "landing", "journal", "warehouse.duckdb", "published", "ledger.sqlite", "extractors.sqlite",
    }, "a search that finds nothing there before proves nothing after"  # fmt: skip
    assert found_in(erased.story.settings.home, erased.values, VENDORS) == []


def test_what_keeps_the_opt_out_can_not_be_read_by_who_has_only_the_log(erased: Erased) -> None:
    """The log holds hashes; the salt lies beside it, for its owner's eyes, and in no other file."""
    home = erased.story.settings.home
    salt = home / "salt"
    assert stat.S_IMODE(salt.stat().st_mode) == 0o600
    text = salt.read_text(encoding="ascii")
    assert {name for name, _ in found_in(home, [text], VENDORS)} == {"salt", "warehouse.duckdb"}
    assert stat.S_IMODE((home / "warehouse.duckdb").stat().st_mode) == 0o600
    rows = [json.loads(row[4]) for row in landed(erased.story).values() if row[0] == "perennial/erasures"]
    assert {row["kind"] for row in rows} == {"address", "record"}
    assert all(len(row["hash"]) == 64 for row in rows)


def test_the_other_person_s_rows_are_what_they_were(erased: Erased) -> None:
    """His marts row for row, his landed rows byte for byte, and every row of the log in its place."""
    assert any(erased.bob.values())
    assert about_bob(erased.story) == erased.bob
    now = landed(erased.story)
    assert {place: row[0] for place, row in erased.landed.items()}.items() <= {
        place: row[0] for place, row in now.items()
    }.items()
    changed = {place for place, row in erased.landed.items() if now[place] != row}
    his = {place for place, row in erased.landed.items() if "bob" in str(row).lower()}
    assert his
    assert not changed & his
    assert {now[place][4] for place in changed if now[place][0] != "flowhub/orders"} >= {TOMBSTONE}


def test_her_sales_stay_in_the_books_without_her(erased: Erased) -> None:
    """What was sold, when and for how much; an abandoned cart is no sale."""
    orders = erased.story.scene.rows(
        "select * from marts.fct_orders where order_id like 'order-ann-%' order by 1"
    )
    assert [(row["total"], row["status"], row["customer_id"]) for row in orders] == [
        (44, "completed", None)
    ] * 2
    lines = erased.story.scene.rows("select * from marts.fct_order_lines where order_id like 'order-ann-%'")
    assert [row["product_name"] for row in lines] == ["Blue Dream"] * 2
    carts = erased.story.scene.rows(
        "select cart_id, node from events.int_carts where node like 'jane_cart:%'"
    )
    assert len(carts) == 1
    payloads = [row[4] for row in landed(erased.story).values() if row[0] == "flowhub/orders"]
    assert sum("fullName" not in payload for payload in payloads) == 4
    # decided once, for ever: her order is not decided again when Jane speaks of it again
    ordered = str(stable_number("ordered-ann"))
    pushes = erased.story.scene.rows(
        "select verdict, reason, customer_id, record_key from decisions.int_order_pushes where cart_id = $1",
        ordered,
    )
    assert [tuple(push.values()) for push in pushes] == [("refused", "switched_off", None, None)]


def test_every_landed_row_is_accounted_for(erased: Erased) -> None:
    """Landed = loaded + quarantined + duplicates + erased."""
    counts = erased.story.scene.rows(
        """
        select disposition, count(*) as rows from (
            select disposition from staging.base_flowhub__customers
            union all select disposition from staging.base_jane__carts
            union all select disposition from staging.base_partners__events
        ) group by disposition
        """
    )
    found = {row["disposition"]: row["rows"] for row in counts}
    streams = ("flowhub/customers", "jane/cart_status", "jane/cart_abandoned", "partners/events")
    assert sum(found.values()) == sum(row[0] in streams for row in landed(erased.story).values())
    assert found["erased"] == 11
    assert found["quarantined"] == 3


def test_she_is_known_to_have_been_erased(erased: Erased, tmp_path: Path) -> None:
    """The same command says so, by any of her names, and changes nothing."""
    batches = erased.story.scene.log.last_seq()
    for name in (ANN.email.lower(), ANN.written_phone, ANN.flowhub_id):
        assert erase(erased.environment, name, tmp_path / "said") == 0
        assert "She was erased on 2026-03-15" in (tmp_path / "said").read_text(encoding="utf-8")
    assert erase(erased.environment, "nobody@example.com", tmp_path / "said") == 1
    assert erased.story.scene.log.last_seq() == batches


def test_klaviyo_is_asked_to_delete_her(erased: Erased) -> None:
    """Each address once; the second request of a killed command is the same to Klaviyo."""
    assert set(erased.klaviyo_told) == {ANN.email.lower(), f"old.{ANN.email}".lower()}


@pytest.mark.thorough
def test_a_rebuild_gives_the_same(erased: Erased, tmp_path: Path) -> None:
    """What landing has become is the truth: it gives the erased warehouse back, row for row."""
    home = tmp_path / "home"
    shutil.copytree(erased.story.settings.home, home)
    copy = Story.on(home, tmp_path / "copy", erased.story.vendors)
    before = marts(copy.scene)
    assert rebuild(copy.settings, at(20)).ok
    assert marts(copy.scene) == before


@pytest.mark.thorough
def test_she_comes_back_and_stays_suppressed(erased: Erased, tmp_path: Path) -> None:
    """A pull that lost its memory brings her again, with every consent: no marketing, until she says yes herself."""
    story = Story.on(erased.story.settings.home, tmp_path / "copy", erased.story.vendors)
    story.customer(ANN, at(10, day=16))
    story.cart(ANN, "back-1", "cart_abandoned", "pending", at(18, day=16))
    story.build(at(18, 5, day=16))
    [person] = story.scene.rows("select * from marts.dim_customers where full_name = $1", ANN.name)
    assert (person["email_consent"], person["sms_consent"]) == ("opted_out", "opted_out")
    assert person["is_email_suppressed"]
    story.build(at(19, day=16))
    decided = {
        (row["outcome"], row["reason"])
        for row in story.scene.rows(
            "select * from marts.flow_decisions where customer_id = $1", person["customer_id"]
        )
    }
    assert decided
    assert not [outcome for outcome, _ in decided if outcome == "enrolled"]
    # the push's own gate knows it too, whatever a decision says
    story.force_enrollment(ANN, at(19, day=16))
    push(story.settings)
    [row] = [row for row in ledger_rows(story.settings) if row["enrollment_id"] == "forced"]
    assert row["status"] == "exited"
    assert "erased" in row["error"]

    story.consent(ANN, at(20, day=16), "email", "opted_in")
    story.cart(ANN, "back-2", "cart_abandoned", "pending", at(20, 5, day=16))
    story.build(at(20, 10, day=16))
    enrolled = story.scene.rows(
        "select * from marts.flow_enrollments where customer_id = $1", person["customer_id"]
    )
    assert [row["channels"] for row in enrolled] == ["email"]


def test_what_is_published_is_one_set(erased: Erased) -> None:
    """Earlier sets are gone at once, and the current one can be read."""
    home = Home(erased.story.settings.home)
    published = open_published(home)
    assert published.connection.execute("select count(*) from marts.dim_customers").fetchall() == [(1,)]
    published.connection.close()
    current = json.loads((home.published / "current.json").read_text(encoding="utf-8"))
    assert {str(path.relative_to(home.published)) for path in home.published.glob("*/*")} == set(
        current["tables"].values()
    )
    assert list(home.root.glob("warehouse.before-*")) == []
    assert len(CASTS) == 2
