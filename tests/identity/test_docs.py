"""What docs/identity.md says of the rules is what the seed says."""

import csv
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_table_of_tiers_is_the_seed() -> None:
    """One row of the table per row of ``identifier_rules``, in its order."""
    text = (ROOT / "docs" / "identity.md").read_text(encoding="utf-8")
    table = text[text.index("<!-- tiers -->") : text.index("<!-- /tiers -->")]
    with (ROOT / "dbt" / "seeds" / "identifier_rules.csv").open(encoding="utf-8", newline="") as seed:
        rules = [
            f"| {rule['tier']} | `{rule['identifier_type']}` | `{rule['link_mode']}` | {rule['why']} |"
            for rule in csv.DictReader(seed)
        ]
    assert table.splitlines()[3:] == rules
