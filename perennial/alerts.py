"""Telling people that something failed or waits for them: by a Slack-compatible webhook, and by mail.

A text says what and where to look: names of jobs, flows and destinations, ids and counts; never a person's data, a
secret or an address of ours. Whoever tells goes on, whatever becomes of it.
"""

import logging
import smtplib
import ssl
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import httpx

from perennial.settings import Settings

_log = logging.getLogger(__name__)
_SECONDS = 5.0


def tell(settings: Settings, title: str, lines: Sequence[str] = ()) -> bool:
    """Tell people by every way that is set; False where one of them failed. Never raises."""
    results = [_told(name, way, title, lines) for name, way in _ways(settings).items()]
    return all(results)


def is_heard(settings: Settings) -> bool:
    """Say whether there is anybody to tell."""
    return bool(_ways(settings))


def _ways(settings: Settings) -> dict[str, Callable[[str, Sequence[str]], None]]:
    ways: dict[str, Callable[[str, Sequence[str]], None]] = {}
    if settings.alert_webhook_url is not None:
        url = settings.alert_webhook_url.get_secret_value()
        ways["ALERT_WEBHOOK_URL"] = lambda title, lines: _post(url, title, lines)
    if settings.smtp_url is not None and settings.alert_email_to:
        server, to = settings.smtp_url.get_secret_value(), settings.alert_email_to
        sender = settings.alert_email_from or to[0]
        ways["SMTP_URL"] = lambda title, lines: _mail(server, sender, to, title, lines)
    return ways


def _told(name: str, way: Callable[[str, Sequence[str]], None], title: str, lines: Sequence[str]) -> bool:
    try:
        way(title, lines)
    except Exception as error:  # noqa: BLE001 - its text may hold the address; nobody's run ends for an alert
        _log.warning("nobody was told by %s (%s): %s", name, type(error).__name__, title)
        return False
    return True


def _post(url: str, title: str, lines: Sequence[str]) -> None:
    text = "\n".join([f"*{title}*", *lines])
    httpx.post(url, json={"text": text}, timeout=_SECONDS, follow_redirects=False).raise_for_status()


def _mail(url: str, sender: str, to: Sequence[str], title: str, lines: Sequence[str]) -> None:
    message = EmailMessage()
    message["Subject"] = " ".join(title.split())
    message["From"] = sender
    message["To"] = ", ".join(to)
    message.set_content("\n".join([*lines, ""]))
    parts = urlsplit(url)
    host = parts.hostname or ""
    with _connected(parts.scheme, host, parts.port) as server:
        if parts.username:
            if not isinstance(server, smtplib.SMTP_SSL) and not _is_here(host):
                server.starttls(context=ssl.create_default_context())  # raises where it is not offered
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=_SECONDS, context=ssl.create_default_context())
    return smtplib.SMTP(host, port or 25, timeout=_SECONDS)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
