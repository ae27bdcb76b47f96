"""Opening the ledger: migrations, durability, and what goes wrong."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from perennial.salt import Salt
from reverse_etl.ledger.rows import Move, apply, load
from reverse_etl.ledger.store import HEAD, MIGRATIONS, LedgerError, open_ledger
from reverse_etl.ledger.tables import metadata
from reverse_etl.states import IllegalMoveError, Status
from tests.reverse_etl.scene import NOON, Scene, decision

SALT = Salt("tests")


def url_of(path: Path) -> str:
    """Return the URL of a ledger in a folder."""
    return f"sqlite:///{path / 'ledger.sqlite'}"


def test_the_newest_revision_is_the_one_the_code_expects() -> None:
    """A new revision that the fast path doesn't know would run at every opening."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    """Alembic finds nothing left to do."""
    ledger = open_ledger(url_of(tmp_path), SALT)
    with ledger.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    ledger.close()
    assert differences == []


def test_a_commit_is_durable_and_the_file_private(tmp_path: Path) -> None:
    """Write-ahead log, fsync at each commit, readable by its owner."""
    ledger = open_ledger(url_of(tmp_path), SALT)
    with ledger.read() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 2  # full
    ledger.close()
    assert stat.S_IMODE((tmp_path / "ledger.sqlite").stat().st_mode) == 0o600


def test_opening_again_does_not_even_load_the_migrations(tmp_path: Path) -> None:
    """A push that finds its ledger ready pays for one query."""
    open_ledger(url_of(tmp_path), SALT).close()
    program = (
        "import sys; from perennial.salt import Salt; from reverse_etl.ledger.store import open_ledger; "
        "open_ledger(sys.argv[1], Salt('tests')).close(); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, url_of(tmp_path)], check=True)


def test_several_processes_may_make_the_ledger_at_once(tmp_path: Path) -> None:
    """The first one migrates, the others wait and find it done."""
    program = (
        "import sys; from perennial.salt import Salt; from reverse_etl.ledger.store import open_ledger; "
        "open_ledger(sys.argv[1], Salt('tests')).close()"
    )
    makers = [subprocess.Popen([sys.executable, "-c", program, url_of(tmp_path)]) for _ in range(3)]
    assert [maker.wait(60) for maker in makers] == [0, 0, 0]


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """An unknown revision is an error with a next step."""
    open_ledger(url_of(tmp_path), SALT).close()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as database:
        database.execute("update alembic_version set version_num = '9999'")
    database.close()
    with pytest.raises(LedgerError, match="newer version"):
        open_ledger(url_of(tmp_path), SALT)


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    """Another file in its place is an error with a next step."""
    (tmp_path / "ledger.sqlite").write_text("this is a text file, long enough to be read as a page", "utf-8")
    with pytest.raises(
        LedgerError, match=r"the ledger can't be used.*not a database(.|\n)*PERENNIAL_LEDGER_URL"
    ):
        open_ledger(url_of(tmp_path), SALT)


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    """A folder in its place is an error with a next step."""
    (tmp_path / "ledger.sqlite").mkdir()
    with pytest.raises(LedgerError, match=r"ledger\.sqlite can't be opened(.|\n)*PERENNIAL_LEDGER_URL"):
        open_ledger(url_of(tmp_path), SALT)


def test_a_url_of_no_known_database_is_named(tmp_path: Path) -> None:
    """A path instead of a URL is an error that names the setting."""
    del tmp_path
    with pytest.raises(LedgerError, match="PERENNIAL_LEDGER_URL"):
        open_ledger("ledger.sqlite", SALT)


def test_an_illegal_move_changes_nothing(scene: Scene) -> None:
    """Not even the other rows of the same transaction."""
    scene.decide(decision(1), decision(2))
    scene.push()
    ledger = scene.open()
    with ledger.write() as connection:
        moves = [Move(row, Status.PENDING) for row in load(connection, [1, 2]).values()]
        with pytest.raises(IllegalMoveError):
            apply(connection, moves, NOON)
    ledger.close()
    assert scene.report().counts == {"aiq": {"accepted": 2}}


def test_an_error_of_the_database_shows_no_values(scene: Scene) -> None:
    """What failed is said, what it was about is not."""
    scene.decide(decision(1))
    scene.push()
    ledger = scene.open()
    with pytest.raises(LedgerError) as caught, ledger.write() as connection:
        connection.exec_driver_sql(
            "insert into exits (enrollment_id, reason) values ('ann@example.com', null)"
        )
    ledger.close()
    assert "ann@example.com" not in str(caught.value)
