"""``perennial check``: what works, what does not, and the next step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from tempfile import NamedTemporaryFile

import typer

from console.output import out
from perennial.clock import clock_of
from perennial.errors import PerennialError
from perennial.settings import Settings, load_settings

_MARKS = {"works": "[green]✓[/]", "off": "[dim]-[/]", "advised": "[yellow]![/]"}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: it works, is off, deserves a thought, or has a cause and a fix."""

    what: str
    state: str
    says: str
    fix: str = ""


def check() -> None:
    """Look at settings, credentials and folders; exit code 1 where something must be mended."""
    settings = load_settings()
    broken = False
    for finding in findings(settings):
        mark = _MARKS.get(finding.state, "[red]✗[/]")
        out.print(f"{mark} {finding.what}: ", end="", soft_wrap=True)
        out.print(finding.says, markup=False, soft_wrap=True)
        if finding.fix:
            out.print(f"    → {finding.fix}", markup=False, soft_wrap=True)
        broken = broken or finding.state == "broken"
    if broken:
        raise typer.Exit(1)


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is found, in the order in which a new installation is set up."""
    home = _looked_at("home", lambda: _writable(settings))
    yield home
    if home.state == "broken":
        return  # the rest works in the home
    yield _looked_at("clock", lambda: f"{clock_of(settings).now():%Y-%m-%d %H:%M:%S} UTC")
    yield _looked_at("landing", lambda: _landing(settings))
    yield from _flowhub(settings)
    yield _webhook(
        "Jane",
        is_on=settings.jane_on,
        missing=_missing(settings, "JANE_WEBHOOK_TOKEN", "JANE_SIGNING_SECRET"),
        fix="Jane's partner team sets up the webhooks and gives you both",
    )
    yield from _omni(settings)
    yield _webhook(
        "Shopify",
        is_on=settings.shopify_client_secret is not None,
        missing=_missing(settings, "SHOPIFY_CLIENT_SECRET"),
        fix="copy the client secret of the app that owns the webhooks, from Shopify's partner dashboard",
    )
    yield _webhook(
        "Partners",
        is_on=bool(settings.partner_keys),
        missing=[] if settings.partner_keys else ["PARTNER_API_KEYS"],
        fix="choose a long random key for each partner, and give it to them: name:key, comma-separated",
    )
    yield _webhook(
        "Messaging",
        is_on=settings.messaging_webhook_secret is not None,
        missing=_missing(settings, "MESSAGING_WEBHOOK_SECRET"),
        fix="choose a long random value and send it as X-Perennial-Secret with the feedback",
    )
    yield from _destinations(settings)
    yield from _flows(settings)


def _looked_at(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, "works", look())
    except PerennialError as error:
        return Finding(what, "broken", error.cause, error.fix)


def _writable(settings: Settings) -> str:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=settings.home):
            pass
    except OSError as error:
        raise PerennialError(
            f"PERENNIAL_HOME ({settings.home}) can't be written: {error.strerror}",
            "give this user the folder, or point PERENNIAL_HOME elsewhere",
        ) from None
    return f"{settings.home} can be written"


def _landing(settings: Settings) -> str:
    from extractors.landing.log import LandingLog

    return f"{LandingLog(settings.landing_url).last_seq():,} batches in {settings.landing_url}"


def _flowhub(settings: Settings) -> Iterator[Finding]:
    from extractors.flowhub.setup_check import check_flowhub

    for result in check_flowhub(settings):
        yield Finding(f"Flowhub {result.name}", "works" if result.ok else "broken", result.detail, result.fix)


def _omni(settings: Settings) -> Iterator[Finding]:
    """OMNI comes by two routes; one is enough, so the other is off and not broken."""
    from extractors.klaviyo.setup_check import check_klaviyo

    missing = _missing(settings, "OMNI_SHARED_SECRET")
    by_key = settings.omni_klaviyo_api_key is not None
    yield _webhook(
        "OMNI by Shopify Flow",
        is_on=settings.omni_on and not (missing and by_key),
        missing=missing,
        fix="choose a long random value and send it as X-Perennial-Secret from Shopify Flow's HTTP action",
    )
    if not by_key or settings.omni_enabled is False:
        says = "off (switched off)" if by_key else "off (OMNI_KLAVIYO_API_KEY)"
        fix = "" if by_key else "needed only to read OMNI's events from Klaviyo: docs/sources/omni.md"
        yield Finding("OMNI by Klaviyo", "off", says, fix)
        return
    result = check_klaviyo(settings)
    yield Finding("OMNI by Klaviyo", "works" if result.ok else "broken", result.detail, result.fix)


def _missing(settings: Settings, *names: str) -> list[str]:
    return [name for name in names if getattr(settings, name.lower()) is None]


def _webhook(what: str, *, is_on: bool, missing: list[str], fix: str) -> Finding:
    """Tell whether a source's webhooks would be accepted; a source that nobody set up is off, not broken."""
    if is_on and not missing:
        return Finding(what, "works", "its webhooks are accepted by perennial serve")
    if is_on:
        return Finding(what, "broken", f"it is switched on, but {' and '.join(missing)} is not set", fix)
    return Finding(what, "off", f"off ({', '.join(missing) or 'switched off'})", fix if missing else "")


def _destinations(settings: Settings) -> Iterator[Finding]:
    from reverse_etl.destinations.registry import TILL, destinations_for
    from reverse_etl.destinations.setup_check import check_destination

    configured = destinations_for(settings)
    for destination in configured.ready:
        if destination.name == TILL:
            yield Finding(TILL, "works", "orders are pushed; its credentials are tried with Flowhub's others")
            continue
        result = check_destination(destination)
        yield Finding(result.name, "works" if result.ok else "broken", result.detail, result.fix)
    for name, why in configured.off.items():
        yield Finding(name, "off", why)
    for name, what in configured.missing.items():
        cause, _, fix = what.partition("; ")
        yield Finding(name, "off", cause, fix)


def _flows(settings: Settings) -> Iterator[Finding]:
    from warehouse.audience_inputs import audiences_without_sender
    from warehouse.flow_context import advice_on_withheld
    from warehouse.flow_settings import read_flow_settings, told_overrides, without_sender

    try:
        flows = read_flow_settings(told_overrides(settings.home))
    except PerennialError as error:
        yield Finding("flows", "broken", error.cause, error.fix)
        return
    running = sum(flow.status in {"active", "dry_run"} for flow in flows.values())
    yield Finding("flows", "works", f"{running} of {len(flows)} run; perennial flow library lists them")
    for advice in [*without_sender(flows, settings), *advice_on_withheld(flows)]:
        yield Finding("flows", "advised", advice)
    for advice in audiences_without_sender(settings):
        yield Finding("audiences", "advised", advice)
