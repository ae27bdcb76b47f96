"""What the extractors' tests have in common."""

import pytest
from hypothesis import settings as hypothesis_settings

from extractors.landing.log import LandingLog
from perennial.settings import Settings

# How long an example takes says nothing on a machine that others use too.
hypothesis_settings.register_profile("unhurried", deadline=None)
hypothesis_settings.load_profile("unhurried")


@pytest.fixture
def log(settings: Settings) -> LandingLog:
    """Open the landing log of the test's home."""
    return LandingLog(settings.landing_url)
