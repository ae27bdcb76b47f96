"""Which destinations the settings know."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pyrate_limiter import Duration, Rate

from perennial.clock import clock_of
from perennial.errors import SettingsError
from perennial.settings import Settings, secret
from reverse_etl.addresses import Channel
from reverse_etl.destinations.aiq import DEFAULT_RATES, Aiq
from reverse_etl.destinations.aiq_attributes import AiqAccount
from reverse_etl.destinations.base import Destination
from reverse_etl.destinations.csv_drop import CsvDrop
from reverse_etl.destinations.drop_folder import drop_folder
from reverse_etl.destinations.flowhub import Flowhub
from reverse_etl.destinations.klaviyo import Klaviyo
from reverse_etl.destinations.klaviyo_profiles import KlaviyoAccount
from reverse_etl.destinations.webhook import Webhook, batches_of

# The sandbox's AIQ allows ten times what the real one does, so that a demo's push takes seconds; a test
# compares this with the sandbox's own limits.
SANDBOX_AIQ_RATES = (Rate(50, Duration.SECOND), Rate(1_200, Duration.MINUTE), Rate(20_000, Duration.HOUR))

_MESSAGING = (Aiq, Klaviyo, Webhook, CsvDrop)

# Destinations that drop an enrollment that comes twice.
DEDUPING = frozenset(kind.name for kind in _MESSAGING if kind.dedupes)

# The channels that each destination may use: of another's closed addresses it hears nothing.
USES: Mapping[str, Collection[Channel]] = {kind.name: kind.channels for kind in _MESSAGING}

# The destination of orders, whose credentials belong to a source.
TILL = Flowhub.name

# Destinations that can be asked to forget a person.
FORGETFUL = frozenset({Klaviyo.name})


class SwitchedOffError(SettingsError):
    """A destination is not to be used: what waits for it is no longer wanted."""


@dataclass(frozen=True)
class Configured:
    """Destinations that can be used, and why the others can't: name → what to set.

    What waits for one that is ``missing`` goes on waiting; what waits for one that is ``off`` ends.
    """

    ready: tuple[Destination, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    off: Mapping[str, str] = field(default_factory=dict)


def told_of_closed_addresses(settings: Settings) -> tuple[str, ...]:
    """Return the destinations that hear of a closed address: whichever are pushed to now, all that are set up."""
    return tuple(one.name for one in destinations_for(settings).ready if one.name != TILL)


def destinations_for(settings: Settings, names: Sequence[str] | None = None) -> Configured:
    """Make the destinations from the settings; ``SettingsError`` where one is named that doesn't exist."""
    unknown = sorted(set(names or ()) - set(_MAKERS))
    if unknown:
        raise SettingsError(
            f"there is no destination {', '.join(unknown)}", f"choose from {', '.join(sorted(_MAKERS))}"
        )
    ready: list[Destination] = []
    missing: dict[str, str] = {}
    off: dict[str, str] = {}
    for name, make in _MAKERS.items():
        if names is not None and name not in names:
            continue
        try:
            ready.append(make(settings))
        except SwitchedOffError as error:
            off[name] = error.cause
        except SettingsError as error:
            missing[name] = f"{error.cause}; {error.fix}"
    return Configured(tuple(ready), missing, off)


def _aiq(settings: Settings) -> Destination:
    key = secret(settings.aiq_api_key, "AIQ_API_KEY")
    if settings.aiq_integrator_slug is None:
        raise SettingsError(
            "AIQ_INTEGRATOR_SLUG is not set", "ask AIQ for the slug of the integration and put it into .env"
        )
    rates = SANDBOX_AIQ_RATES if settings.perennial_clock == "sandbox" else DEFAULT_RATES
    return Aiq(settings.aiq_base_url, key, settings.aiq_integrator_slug, clock_of(settings), rates=rates)


def aiq_account(settings: Settings) -> AiqAccount:
    """Return the AIQ account whose personas have attributes; it needs no integrator's slug."""
    key = secret(settings.aiq_api_key, "AIQ_API_KEY")
    rates = SANDBOX_AIQ_RATES if settings.perennial_clock == "sandbox" else DEFAULT_RATES
    enrolling = Aiq(settings.aiq_base_url, key, settings.aiq_integrator_slug or "", clock_of(settings))
    return AiqAccount(settings.aiq_base_url, key, enrolling.account, clock_of(settings), rates)


def klaviyo_account(settings: Settings) -> KlaviyoAccount:
    """Return the Klaviyo account whose profiles and lists are kept."""
    key = secret(settings.klaviyo_api_key, "KLAVIYO_API_KEY")
    return KlaviyoAccount(settings.klaviyo_base_url, key, clock_of(settings))


def _klaviyo(settings: Settings) -> Destination:
    suppression_key = settings.klaviyo_suppression_api_key
    return Klaviyo(
        settings.klaviyo_base_url,
        secret(settings.klaviyo_api_key, "KLAVIYO_API_KEY"),
        clock_of(settings),
        suppression_key=None if suppression_key is None else suppression_key.get_secret_value(),
    )


def _webhook(settings: Settings) -> Destination:
    if settings.webhook_url is None:
        raise SettingsError("WEBHOOK_URL is not set", "put the address of your receiver into .env")
    told = (settings.webhook_signing_secret, settings.webhook_signing_secret_previous)
    secret(settings.webhook_signing_secret, "WEBHOOK_SIGNING_SECRET")
    return Webhook(
        settings.webhook_url,
        [known.get_secret_value() for known in told if known is not None],
        clock_of(settings),
        rates=(Rate(settings.webhook_calls_per_second, Duration.SECOND),),
        batch=batches_of(settings.webhook_rows_a_call),
    )


def _csv(settings: Settings) -> Destination:
    if settings.csv_drop_url is None:
        raise SettingsError(
            "CSV_DROP_URL is not set", "put a folder or an fsspec URL such as s3://… into .env"
        )
    try:
        return CsvDrop(drop_folder(settings.csv_drop_url))
    except (ImportError, ValueError) as error:
        raise SettingsError(
            f"CSV_DROP_URL: nothing here writes to such a place ({type(error).__name__})",
            "correct the URL, or install what fsspec needs for it, such as s3fs for s3://",
        ) from None


def _flowhub(settings: Settings) -> Destination:
    if not settings.flowhub_sync_orders:
        raise SwitchedOffError(
            "FLOWHUB_SYNC_ORDERS is off", "switch it on to push confirmed orders into Flowhub"
        )
    if settings.flowhub_order_ahead_client_id is None:
        raise SettingsError(
            "FLOWHUB_ORDER_AHEAD_CLIENT_ID is not set", "put it into .env; .env.example says where to get it"
        )
    return Flowhub(
        settings.flowhub_base_url,
        settings.flowhub_token_url,
        settings.flowhub_auth_audience,
        settings.flowhub_order_ahead_client_id,
        secret(settings.flowhub_order_ahead_token, "FLOWHUB_ORDER_AHEAD_TOKEN"),
        clock_of(settings),
    )


_MAKERS: Mapping[str, Callable[[Settings], Destination]] = {
    "aiq": _aiq,
    "klaviyo": _klaviyo,
    "webhook": _webhook,
    "csv": _csv,
    "flowhub": _flowhub,
}

# Every destination there is, whether the settings know it or not.
NAMES = frozenset(_MAKERS)
