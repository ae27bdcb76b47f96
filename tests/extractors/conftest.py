"""Settings of the extractors' tests."""

from hypothesis import settings

# How long an example takes says nothing on a machine that others use too.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
