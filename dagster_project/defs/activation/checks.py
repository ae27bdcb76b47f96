"""What must hold before anything is sent."""

import dagster as dg

from dagster_project.lib.dbt import model_key
from dagster_project.lib.keys import VOLUME
from dagster_project.lib.volume import published_people, too_many, unsent_volumes
from extractors.landing.log import LandingLog
from perennial.home import Home
from perennial.settings import load_settings


@dg.asset_check(
    asset=model_key("flow_enrollments"),
    name=VOLUME,
    blocking=True,
    description="No flow enrolls an implausible share of all people in one build; otherwise nothing is sent.",
)
def enrollment_volume_is_plausible() -> dg.AssetCheckResult:
    """Compare the newest build's live enrollments of each flow with the number of people there are."""
    settings = load_settings()
    volumes = unsent_volumes(LandingLog(settings.landing_url))
    people = published_people(Home(settings.home))
    excessive = too_many(volumes, people)
    return dg.AssetCheckResult(
        passed=not excessive,
        metadata={"enrolled": dict(volumes), "people": people, "too_many": dict(excessive)},
        description="; ".join(
            f"{flow} would enroll {count} of {people} people: look at its filters, or pause it"
            for flow, count in excessive.items()
        )
        or None,
    )
