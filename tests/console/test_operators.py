"""What an operator types, from the first warning to the last word; and what is refused with a next step."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console.cli import app
from perennial.settings import load_settings
from tests.reverse_etl.scene import Scene, decision
from tests.reverse_etl.vendor import Reply, Vendor, serving

# At any hour: some of these are sent by the clock on the wall.
LASTING: dict[str, Any] = {"not_before": None, "expires_at": None, "places": []}
Perennial = Callable[..., str]


@pytest.fixture(name="vendor")
def serve_vendor() -> Iterator[Vendor]:
    """Run a scripted vendor."""
    with serving() as vendor:
        yield vendor


@pytest.fixture(name="perennial")
def enter(tmp_path: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Iterator[Perennial]:
    """Call the command in a home whose AIQ is the scripted vendor; no output ever holds an address."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"PERENNIAL_HOME": str(tmp_path), **vendor.as_aiq}.items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()

    def call(*words: str, code: int = 0, answer: str | None = None) -> str:
        done = CliRunner().invoke(app, words, input=answer)
        shown = done.output + done.stderr
        assert done.exit_code == code, shown
        assert not re.search(r"@example\.com|\+1303|aiq-key", shown)
        return " ".join(shown.split())

    yield call
    load_settings.cache_clear()


def test_an_operator_s_afternoon(tmp_path: Path, vendor: Vendor, perennial: Perennial) -> None:
    """A flood is held, a plan is made and applied, a refusal is mended, a flow is paused: status says what is next."""
    scene = Scene(tmp_path)
    scene.decide(
        *(decision(number, flow_name="winback", **LASTING) for number in range(501)),
        decision(600, **LASTING),
        decision(601, **LASTING),
    )
    vendor.script = lambda _number, body: Reply(400 if body["event"]["enrollment_id"] == "d000601" else 200)
    assert "2 rows would be sent now" in perennial("push", "--plan", "plan.json")
    assert vendor.calls == []
    scene.decide(decision(602, **LASTING))
    said = perennial("push", "--apply", "plan.json")
    assert "Sent 2" in said
    assert "Held: 501 of winback to aiq (share_unknown)" in said
    assert "d000600 is accepted" in perennial("push", "--apply", "plan.json", code=1)
    [hold] = scene.holds()
    said = perennial("status")
    assert "Refused: 1 rows" in said
    assert f"Held: 501 of winback to aiq (share_unknown). → perennial holds show {hold.hold_id}" in said

    assert hold.hold_id in perennial("holds", "list")
    said = perennial("holds", "show", hold.hold_id)
    assert "Who: 501 held" in said
    assert "d000000" in said
    assert perennial("holds", "cancel", hold.hold_id, code=1, answer="n\n")
    assert "501 rows canceled" in perennial("holds", "cancel", hold.hold_id, "--yes")
    assert f"{hold.hold_id} is canceled" in perennial("holds", "cancel", hold.hold_id, "--yes")
    assert "was canceled" in perennial("holds", "release", hold.hold_id, code=1)
    assert "Nothing is held" in perennial("holds", "list")

    assert "400" in perennial("deadletters", "list")
    vendor.script = lambda _number, _body: Reply()
    assert "1 rows are to be sent again" in perennial("deadletters", "retry", "d000601")
    assert "no dead letter is called d000601" in perennial("deadletters", "retry", "d000601", code=1)

    assert "Paused: flow winback" in perennial("pause", "--flow", "winback")
    said = perennial("pause")
    assert "Paused: everything" in said
    assert "Sent 0" in perennial("push")
    assert re.search(
        "Paused: everything, since .* UTC. → perennial resume Paused: flow winback", perennial("status")
    )
    assert "Paused: flow winback" in perennial("resume")
    assert "Sent 2" in perennial("push")
    assert "Nothing is paused" in perennial("resume", "--flow", "winback")
    assert scene.report().counts == {"aiq": {"accepted": 3, "exited": 501}}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("holds show h_nobody", "no hold 'h_nobody'"),
        ("holds release h_nobody", "no hold 'h_nobody'"),
        ("holds cancel h_nobody", "no hold 'h_nobody'"),
        ("deadletters retry", "nothing says which rows to retry"),
        ("deadletters discard", "nothing says which rows to discard"),
        ("deadletters discard d_nobody", "no dead letter is called d_nobody"),
        ("deadletters resolve d_nobody", "nothing says what was found"),
        ("deadletters resolve d_nobody --sent", "no dead letter is called d_nobody"),
        ("pause --flow nobody", "no flow 'nobody'"),
        ("pause --destination nobody", "no destination 'nobody'"),
        ("resume --flow a --destination aiq", "at once"),
        ("push --apply nowhere.json", "can't be read"),
        ("push nowhere.json", "do not go together"),
        ("push --plan --apply a.json", "do not go together"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_next_step(
    perennial: Perennial, words: str, named: str
) -> None:
    """By name, and nothing lands."""
    said = perennial(*words.split(), code=1)
    assert named in said
    assert "→" in said
