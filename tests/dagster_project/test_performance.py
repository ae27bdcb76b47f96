"""What the checks on flows show, and when they warn."""

from pathlib import Path

import dagster as dg
import pytest

from dagster_project.defs.transformation.checks import few_are_driven_away, no_flow_costs_purchases
from tests.dagster_project.test_catalogue import publish, run

PERFORMANCE = """
select *, 0 as delivered, 0 as opened, 0 as clicked, 1 as converted, 12.50 as revenue from (values
    ('cart', date '2026-05-03', 'sms', 90, 80, 60, 1), ('cart', date '2026-05-01', 'sms', 60, 50, 50, 2),
    ('cart', date '2026-04-26', 'sms', 900, 900, 900, 90), ('push', date '2026-05-02', 'sms', 200, 200, 100, 3),
    ('few', date '2026-05-02', 'sms', 99, 99, 99, 50)
) as t (flow_name, performance_date, channel, candidates, enrolled, accepted, unsubscribed)
"""
LIFT = """
select *, 1.0 as revenue_per_person_treated, 2.0 as revenue_per_person_held_out from (values
    ('cart', 900, 100, 0.08, 0.05, -0.01, 0.07, 'No difference that chance would not explain.'),
    ('push', 900, 100, 0.02, 0.05, -0.07, -0.01, 'It costs purchases.'),
    ('new', 5, 0, 0.2, null, null, null, 'Nobody is held out.')
) as t (
    flow_name, people_treated, people_held_out, conversion_rate_treated, conversion_rate_held_out, lift_low, lift_high,
    verdict
)
"""


def shown(result: dg.AssetCheckResult, name: str) -> list[dict[str, object]]:
    """Return the rows of a table in a check's metadata."""
    table = result.metadata[name]
    assert isinstance(table, dg.TableMetadataValue)
    return [dict(record.data) for record in table.records]


def test_a_flow_that_drives_people_away_is_named(home: Path) -> None:
    """By its last seven days; of few messages nothing is said."""
    publish(home, flow_performance=PERFORMANCE)
    result = run(few_are_driven_away)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.description is not None
    assert "said no to cart, push:" in result.description
    week = {row["flow_name"]: row for row in shown(result, "last_week")}
    assert (week["cart"]["accepted"], week["cart"]["unsubscribed"], week["cart"]["revenue"]) == (
        "110",
        "3",
        "25.00",
    )


def test_a_flow_that_costs_purchases_is_named(home: Path) -> None:
    """Where the whole interval lies below nothing; the sentences are shown."""
    publish(home, flow_lift=LIFT)
    result = run(no_flow_costs_purchases)
    assert not result.passed
    assert result.description is not None
    assert "message of push than" in result.description
    assert [row["lift_high"] for row in shown(result, "lift")] == ["0.07", "-0.01", ""]


@pytest.mark.usefixtures("home")
def test_nothing_published_is_fine() -> None:
    """Before the first build."""
    assert run(few_are_driven_away).passed
    assert run(no_flow_costs_purchases).passed
