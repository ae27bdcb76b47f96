"""How much a build would send: from the landed decisions and what is published, without the warehouse."""

import json
from collections import Counter
from collections.abc import Mapping

from extractors.landing.log import LandingLog
from perennial.home import Home
from perennial.published import rows

# A first build of a year's history may rightly enroll some hundred; half of everybody is a broken filter.
ALWAYS_FINE = 500
LARGEST_SHARE = 0.5


def unsent_volumes(log: LandingLog) -> Mapping[str, int]:
    """Return the live enrollments by flow that landed after the newest receipts: what a push would take up now."""
    last_receipts = max(
        (batch.seq for batch in log.batches() if "perennial/receipts" in batch.streams), default=0
    )
    counts: Counter[str] = Counter()
    for record in log.read("perennial", "decisions", after=last_receipts):
        decision = json.loads(record.payload)
        if decision.get("outcome") == "enrolled" and decision.get("mode") == "live":
            counts[decision["flow_name"]] += 1
    return counts


def published_people(home: Home) -> int:
    """Return how many people the published set knows; 0 before the first."""
    found = rows(home, "marts.dim_customers", "select count(*) as people from marts.dim_customers")
    return int(found[0]["people"]) if found else 0


def too_many(volumes: Mapping[str, int], people: int) -> Mapping[str, int]:
    """Return the flows that would enroll more than is ever plausible."""
    bound = max(ALWAYS_FINE, people * LARGEST_SHARE)
    return {flow: count for flow, count in volumes.items() if count > bound}
