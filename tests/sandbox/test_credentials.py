"""The demo's environment makes valid settings that reach nothing but loopback."""

from pathlib import Path

import pytest

from perennial.settings import Settings
from sandbox.credentials import PARTNER_KEYS, sandbox_environment


def _settings(monkeypatch: pytest.MonkeyPatch, home: Path) -> Settings:
    for name, value in sandbox_environment(home, 18700, 18800).items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


def test_every_setting_comes_from_the_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A vendor setting that the function forgets would leak in from the caller's shell."""
    environment = sandbox_environment(tmp_path, 18700, 18800)
    unnamed = {
        "perennial_console_port",
        "perennial_dagster_port",
        "perennial_receiver_workers",
        "perennial_receiver_requests_per_second",
    }
    assert {name.upper() for name in set(Settings.model_fields) - unnamed} == set(environment)
    settings = _settings(monkeypatch, tmp_path)
    urls = [settings.flowhub_base_url, settings.aiq_base_url, settings.klaviyo_base_url]
    assert all(url.startswith("http://127.0.0.1:18700/") for url in urls)


def test_inherited_secrets_are_switched_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty value overrides what the shell had and counts as not set."""
    monkeypatch.setenv("JANE_SIGNING_SECRET_PREVIOUS", "real")
    settings = _settings(monkeypatch, tmp_path)
    assert settings.jane_signing_secret_previous is None
    assert settings.partner_keys == PARTNER_KEYS
    assert settings.flowhub_on
    assert settings.jane_on
    assert settings.omni_on
