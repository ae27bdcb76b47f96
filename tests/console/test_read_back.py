"""``perennial push --read-back``: what differs at Klaviyo is shown, and mended once somebody says so."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from console.output import out
from perennial.settings import load_settings
from tests.reverse_etl.stage import Stage, set_stage
from tests.reverse_etl.sync_scene import Warehouse, change_by_hand, on_the_list


@pytest.fixture(name="stage")
def enter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Work in a home whose settings lead to the sandbox's vendors."""
    with set_stage(tmp_path) as stage:
        stage.vendors.klaviyo.directory.job_seconds = 0.02
        for name, value in stage.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(out, "width", 200)  # no cell is wrapped
        monkeypatch.chdir(tmp_path)  # no .env there
        load_settings.cache_clear()
        yield stage
    load_settings.cache_clear()


def perennial(*words: str, code: int = 0, answer: str | None = None) -> str:
    """Call the command; no output ever holds an address."""
    done = CliRunner().invoke(app, words, input=answer)
    shown = done.output + done.stderr
    assert done.exit_code == code, shown
    assert "@example.com" not in shown
    return " ".join(shown.split())


def test_drift_is_shown_and_repaired_when_somebody_says_so(stage: Stage) -> None:
    """Refused it changes nothing there; said with yes the list is the audience again; status knows of both."""
    assert "No audience is mirrored" in perennial("push", "--read-back")
    warehouse = Warehouse(stage.scene.home)
    warehouse.publish({f"p{number:03d}": {"tier": "gold"} for number in range(5)}, members=["p000", "p001"])
    stage.vendors.klaviyo.directory.refuses["p002@example.com"] = "a role account"
    assert "klaviyo lists SbxVip" in perennial("push")
    said = perennial("status")
    assert "aiq traits in step 0 0" in said
    assert "klaviyo traits failed 0 1" in said
    assert "klaviyo lists SbxVip in step 0 0" in said
    assert "Refused: 1 rows wait for somebody to look. → perennial deadletters list" in said
    assert "The lists hold what was confirmed" in perennial("push", "--read-back")

    change_by_hand(stage.vendors, off=["p001"])
    said = perennial("push", "--read-back", code=1, answer="n\n")
    assert "klaviyo lists SbxVip 2 1 1 p001" in said
    assert on_the_list(stage.vendors) == {"p000", "by.hand"}
    said = perennial("status")
    assert "klaviyo lists SbxVip drift 0 0 1 1 2026-03-15 18:00:00" in said
    assert "Drift: klaviyo lists SbxVip. → perennial push --read-back" in said
    said = perennial("push", "--read-back", "--destination", "klaviyo", "--yes")
    assert "klaviyo lists SbxVip 1 1 0 0 0" in said, "one accepted, one removed"
    assert on_the_list(stage.vendors) == {"p000", "p001"}
    [deed] = [json.loads(record.payload) for record in stage.scene.log.read("perennial", "operations")]
    assert (deed["operation"], deed["subject"]["missing"]) == ("mirror_repair", 1)
    assert "The lists hold what was confirmed" in perennial("push", "--read-back")
    assert "klaviyo lists SbxVip in step 0 0 0 0 2026-03-15 18:00:00" in perennial("status")
