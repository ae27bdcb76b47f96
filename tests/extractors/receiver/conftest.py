"""Fixtures of the receiver's tests."""

from pathlib import Path

import pytest

from perennial.settings import Settings
from tests.extractors.receiver.serving import make_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return settings with every source set up, on a standing clock."""
    return make_settings(tmp_path)
