"""A push that is killed between a call and its commit: one effect in the files and at the receiver of webhooks, too."""

import csv
import io
from collections import Counter
from pathlib import Path

from perennial.crash import EXIT_CODE
from reverse_etl.destinations.drop_folder import drop_folder
from tests.reverse_etl.scene import decision
from tests.reverse_etl.stage import set_stage

ROWS = 10


def test_what_was_written_or_posted_before_a_kill_has_one_effect(tmp_path: Path) -> None:
    """A row is looked for in the files; the receiver drops the id that it knows."""
    with set_stage(tmp_path) as stage:
        stage.scene.decide(*(decision(number, destination="csv") for number in range(ROWS)))
        assert stage.push(crash_at="answered_not_committed") == EXIT_CODE
        folder = drop_folder(str(tmp_path / "sandbox" / "drop"))
        assert len(folder.names("2026-03-15")) == 1, "written, and nobody has noted it"
        stage.scene.decide(*(decision(100 + number, destination="webhook") for number in range(ROWS)))
        assert stage.push(crash_at="answered_not_committed") == EXIT_CODE
        assert stage.push() == 0

        written: Counter[str] = Counter()
        for name in folder.names("2026-03-15"):
            content = (folder.read(f"2026-03-15/{name}") or b"").decode()
            written.update(row["id"] for row in csv.DictReader(io.StringIO(content, newline="")))
        assert written == Counter({f"d{number:06d}": 1 for number in range(ROWS)})
        posted = Counter(message["id"] for message in stage.vendors.webhooks())
        assert posted == Counter({f"d{100 + number:06d}": 1 for number in range(ROWS)})
        counts = stage.scene.report().counts
        assert (counts["csv"], counts["webhook"]) == ({"accepted": ROWS}, {"accepted": ROWS})
