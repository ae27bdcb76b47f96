"""Who is told of a hold or a refused key: once, by real servers, and nobody's push waits or fails for it."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from perennial.alerts import tell
from perennial.errors import SettingsError
from perennial.settings import Settings, load_settings
from reverse_etl.alerts import Alarm
from tests.hooks import Hook, serving_hook
from tests.reverse_etl.pushing import killed
from tests.reverse_etl.scene import Scene, decision, settings_for
from tests.reverse_etl.test_guards import GUARDS
from tests.reverse_etl.vendor import Reply, Vendor


@pytest.fixture
def slack() -> Iterator[Hook]:
    """Run an end for webhooks."""
    with serving_hook() as hook:
        yield hook


@pytest.fixture
def mail() -> Iterator[Hook]:
    """Run an end for mail."""
    with serving_hook(mail=True) as hook:
        yield hook


def heard(scene: Scene, slack: Hook, mail: Hook) -> Settings:
    """Return settings that tell both."""
    return settings_for(
        scene,
        alert_webhook_url=slack.url,
        smtp_url=mail.url,
        alert_email_to=("kim@example.org", "lee@example.org"),
    )


def push(scene: Scene, settings: Settings) -> None:
    """Push as the command does, with an alarm."""
    ledger = scene.open()
    alarm = Alarm(settings, ledger, scene.clock)
    scene.push(guards=GUARDS, alarm=alarm)
    ledger.close()


def test_a_hold_is_told_of_once_by_every_way_that_is_set(scene: Scene, slack: Hook, mail: Hook) -> None:
    """Which flow, how many, which clause, what to type; no address."""
    settings = heard(scene, slack, mail)
    scene.decide(*(decision(number, expires_at=None) for number in range(11)))
    for _ in range(2):
        push(scene, settings)
    [hold] = scene.holds()
    [text], [message] = slack.told, mail.told
    for told in (text, message):
        assert "11 of cart_abandoned_recovery to aiq wait for a person" in told
        assert f"perennial holds show {hold.hold_id}" in told
        assert "@example.com" not in told
        assert "+1303" not in told
    assert "To: kim@example.org, lee@example.org" in message
    assert "From: kim@example.org" in message


def push_in_a_process(home: Path, hook: str, vendor: str) -> None:
    """Push with an alarm."""
    scene = Scene(home, aiq_url=vendor)
    push(scene, settings_for(scene, alert_webhook_url=hook))


def test_a_kill_between_telling_and_noting_tells_once_more(scene: Scene, slack: Hook, vendor: Vendor) -> None:
    """Twice at the most and never not at all; what is not held was sent once, and the next push tells nothing."""
    scene.decide(*(decision(number, flow_name="winback", expires_at=None) for number in range(11)))
    scene.decide(decision(20, expires_at=None))
    killed("told_not_noted", push_in_a_process, scene.home, slack.url, vendor.url)
    assert len(slack.told) == 1
    for _ in range(2):
        push(scene, settings_for(scene, alert_webhook_url=slack.url))
        assert len(slack.told) == 2
    assert slack.told[0] == slack.told[1]
    assert len(vendor.calls) == 1
    assert scene.report().counts == {"aiq": {"accepted": 1, "held": 11}}


def test_a_refused_key_is_told_of_once_until_it_is_mended(
    scene: Scene, slack: Hook, mail: Hook, vendor: Vendor
) -> None:
    """Again when it is refused again after it had worked; a vendor that is merely slow wakes nobody."""
    settings = heard(scene, slack, mail)
    scene.decide(*(decision(number, expires_at=None) for number in range(4)))
    vendor.script = lambda _number, _body: Reply(503)
    push(scene, settings)
    assert slack.told == []
    scene.decide(*(decision(number, expires_at=None) for number in range(10, 14)))
    vendor.script = lambda _number, _body: Reply(401)
    for _ in range(2):
        push(scene, settings)
    [text] = slack.told
    assert "aiq takes nothing" in text
    assert "AIQ_API_KEY" in text
    assert "aiq-key" not in text
    vendor.script = lambda _number, _body: Reply()
    push(scene, settings)
    vendor.script = lambda _number, _body: Reply(403)
    scene.decide(decision(20, expires_at=None))
    push(scene, settings)
    assert len(slack.told) == len(mail.told) == 2


def test_a_hook_that_fails_fails_nothing_and_gives_nothing_away(
    scene: Scene, slack: Hook, mail: Hook, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    """Refused or not there: the push goes on, the log names the setting, and it is tried again later."""
    caplog.set_level(logging.DEBUG)
    slack.status = mail.status = 500
    settings = heard(scene, slack, mail)
    scene.decide(*(decision(number, expires_at=None) for number in range(11)))
    scene.decide(decision(20, flow_name="winback", expires_at=None))
    push(scene, settings)
    assert len(vendor.calls) == 1
    assert "ALERT_WEBHOOK_URL" in caplog.text
    assert "SMTP_URL" in caplog.text
    assert "secret" not in caplog.text
    slack.status = mail.status = 200
    push(scene, settings)
    assert "wait for a person" in slack.told[-1]
    assert len(mail.told) == 1
    gone = settings_for(scene, alert_webhook_url="http://127.0.0.1:9/secret", smtp_url="smtp://127.0.0.1:9")
    assert not tell(gone, "title")
    assert tell(settings_for(scene), "nobody is to be told"), "that is no failure"


def test_a_password_is_never_sent_in_the_clear_elsewhere(mail: Hook) -> None:
    """A server that offers no encryption is not told it, unless it is this machine by name; 127.1 is none."""
    port = mail.url.rpartition(":")[2]

    def told(host: str) -> bool:
        url = f"smtp://ops:secret@{host}:{port}"
        return tell(Settings(_env_file=None, smtp_url=url, alert_email_to="a@example.org"), "title")

    assert not told("127.1")
    assert mail.told == []
    assert told("localhost")
    assert len(mail.told) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_URL", "mail.example.org"),
        ("ALERT_WEBHOOK_URL", "ftp://x/y"),
        ("AIQ_BASE_URL", "http://[::1"),
        ("KLAVIYO_BASE_URL", "https://example.org:port"),
        ("AIQ_API_KEY", "key\nX-Other: 1"),
        ("KLAVIYO_API_KEY", "schlüssel"),
    ],
)
def test_an_address_that_is_none_is_refused_at_start_up(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """By its name, without its value."""
    monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings()
    load_settings.cache_clear()
    assert value not in str(caught.value)
