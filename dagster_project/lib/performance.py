"""What flows brought, from what is published: a table that people would rather look at than ask for."""

from collections.abc import Mapping, Sequence
from typing import Any

from perennial.home import Home
from perennial.published import rows

# Of so many accepted enrollments of a week more than this share saying no is a reason to look at a flow.
ENOUGH_TO_JUDGE = 100
MOST_WHO_LEAVE = 0.02

Row = Mapping[str, Any]


def last_week(home: Home) -> Sequence[Row]:
    """Return what each flow and channel came to in the last seven days that it decided in, the busiest first."""
    return rows(
        home,
        "marts.flow_performance",
        "select flow_name, channel, sum(candidates) as candidates, sum(enrolled) as enrolled, "
        "sum(accepted) as accepted, sum(delivered) as delivered, sum(opened) as opened, sum(clicked) as clicked, "
        "sum(converted) as converted, sum(revenue) as revenue, sum(unsubscribed) as unsubscribed "
        "from marts.flow_performance "
        "where performance_date > (select max(performance_date) from marts.flow_performance) - interval '7 days' "
        "group by flow_name, channel order by enrolled desc, flow_name, channel",
    )


def leaving(week: Sequence[Row]) -> list[str]:
    """Name the flows whose messages make people leave."""
    return sorted(
        {
            row["flow_name"]
            for row in week
            if row["accepted"] >= ENOUGH_TO_JUDGE and row["unsubscribed"] > MOST_WHO_LEAVE * row["accepted"]
        }
    )


def lifts(home: Home) -> Sequence[Row]:
    """Return what each flow's messages brought against its holdout, with its sentence; the largest holdouts first."""
    return rows(
        home,
        "marts.flow_lift",
        "select flow_name, people_treated, people_held_out, conversion_rate_treated, conversion_rate_held_out, "
        "lift_low, lift_high, revenue_per_person_treated, revenue_per_person_held_out, verdict "
        "from marts.flow_lift order by people_held_out desc, flow_name",
    )
