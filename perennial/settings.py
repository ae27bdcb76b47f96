"""Every setting, read from the environment or ``.env`` and validated at start-up.

The names are a public contract (``docs/settings.md``); an empty value counts as not set.
"""

import base64
import binascii
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from perennial.errors import SettingsError


def _split(value: object) -> object:
    """Read ``a, b,c`` as three entries."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _no_slash(value: object) -> object:
    return value.rstrip("/") if isinstance(value, str) else value


def _address(value: str) -> str:
    try:
        is_usable = bool(urlsplit(value).hostname) and (urlsplit(value).port or 1) > 0
    except ValueError:  # brackets or a port that no address has
        is_usable = False
    if not is_usable:
        raise ValueError("is no address of the form https://host")
    return value


def _bytes_of(secret: str) -> int:
    """Return how many bytes a signing secret has; 0 where it is none."""
    try:
        return len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) * secret.startswith(
            "whsec_"
        )
    except binascii.Error:
        return 0


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
BaseUrl = Annotated[
    str, BeforeValidator(_no_slash), Field(pattern=r"^https?://[^\s/]+.*$"), AfterValidator(_address)
]
# The sources of events that are no partners: a partner of such a name would speak for them.
INTEGRATIONS = ("flowhub", "jane", "messaging", "omni", "partners", "perennial", "shopify")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SECRET_BYTES = range(24, 65)  # what Standard Webhooks asks of a signing secret
_KEY = re.compile(r"[!-~]*")
_ROOM_ID = re.compile(r"[0-9A-Za-z]{32}")
_FLOWHUB = "https://api.flowhub.co"
_FLOWHUB_AUTH = "https://flowhub.auth0.com"


class Settings(BaseSettings):
    """The settings, by the names of the environment variables in lower case."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    # Where things are
    perennial_home: Path = Path(".perennial")
    perennial_timezone: str = "America/Denver"
    perennial_target: Literal["duckdb"] = "duckdb"
    perennial_landing_url: str | None = None
    perennial_ledger_url: str | None = None
    perennial_clock: Literal["wall", "sandbox"] = "wall"
    perennial_host: str = "127.0.0.1"
    perennial_receiver_port: int = Field(default=8800, ge=1, le=65535)
    perennial_receiver_workers: int = Field(default=2, ge=1, le=64)
    perennial_receiver_requests_per_second: int = Field(default=1_000, ge=1)
    perennial_sandbox_port: int = Field(default=8700, ge=1, le=65535)
    perennial_console_port: int = Field(default=8900, ge=1, le=65535)
    perennial_dagster_port: int = Field(default=3333, ge=1, le=65535)

    # Derived events
    points_expiring_days: int = Field(default=30, ge=1, le=365)
    cart_abandoned_after_minutes: int = Field(default=30, ge=1, le=24 * 60)

    # Who is who
    identity_devices_merge: bool = False
    identity_max_records: int = Field(default=60, ge=2)
    identity_max_absorbed: int = Field(default=1_000, ge=1)

    # Flowhub
    flowhub_enabled: bool | None = None
    flowhub_base_url: BaseUrl = _FLOWHUB
    flowhub_auth_url: BaseUrl | None = None
    flowhub_auth_audience: str = "https://api.flowhub.co"
    flowhub_client_id: str | None = None
    flowhub_api_key: SecretStr | None = None
    flowhub_location_id: CommaSeparated = ()
    flowhub_order_ahead_client_id: str | None = None
    flowhub_order_ahead_token: SecretStr | None = None
    flowhub_room_ids: CommaSeparated = ()
    flowhub_purchase_categories: CommaSeparated = ()
    flowhub_order_amount_unit: Literal["dollars", "cents"] = "dollars"
    flowhub_map_custom_category_to_sub_category: bool = False
    flowhub_sync_orders: bool = False
    flowhub_maui: bool = True

    # Jane
    jane_enabled: bool | None = None
    jane_webhook_token: SecretStr | None = None
    jane_signing_secret: SecretStr | None = None
    jane_signing_secret_previous: SecretStr | None = None
    jane_timezone: str = "UTC"

    # OMNI and Shopify
    omni_enabled: bool | None = None
    omni_shared_secret: SecretStr | None = None
    omni_klaviyo_api_key: SecretStr | None = None
    shopify_client_secret: SecretStr | None = None

    # Partners and messaging feedback
    partner_api_keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)] = ()
    messaging_webhook_secret: SecretStr | None = None

    # Destinations
    aiq_base_url: BaseUrl = "https://lab.alpineiq.com"
    aiq_api_key: SecretStr | None = None
    aiq_integrator_slug: str | None = None
    klaviyo_base_url: BaseUrl = "https://a.klaviyo.com"
    klaviyo_api_key: SecretStr | None = None
    klaviyo_suppression_api_key: SecretStr | None = None
    webhook_url: str | None = None
    webhook_signing_secret: SecretStr | None = None
    webhook_signing_secret_previous: SecretStr | None = None
    webhook_calls_per_second: int = Field(default=20, ge=1, le=10_000)
    webhook_rows_a_call: int = Field(default=1, ge=1, le=1_000)
    csv_drop_url: str | None = None

    # Who is told when something fails or waits for a person
    alert_webhook_url: SecretStr | None = None
    alert_email_to: CommaSeparated = ()
    alert_email_from: str | None = None
    smtp_url: SecretStr | None = None

    @field_validator("perennial_timezone", "jane_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is not an IANA time zone; write it like America/Denver")
        return value

    @field_validator("alert_webhook_url", "smtp_url")
    @classmethod
    def _reachable(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        schemes = ("smtp", "smtps") if info.field_name == "smtp_url" else ("http", "https")
        try:
            parts = urlsplit(value.get_secret_value() if value else "")
            is_usable = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:  # brackets or a port that no address has
            is_usable = False
        if value is not None and not is_usable:
            raise ValueError(f"is no address of the form {schemes[0]}://host or {schemes[1]}://host")
        return value

    @field_validator("webhook_url")
    @classmethod
    def _kept_from_others(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        is_here = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if value is not None and not (parts.hostname and (parts.scheme == "https" or is_here)):
            raise ValueError("must begin with https:// (http:// on this machine alone): it carries addresses")
        return value

    @field_validator("webhook_signing_secret", "webhook_signing_secret_previous")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and _bytes_of(value.get_secret_value()) not in _SECRET_BYTES:
            raise ValueError(
                "is no signing secret: whsec_ and the base64 of 24 to 64 random bytes, "
                "such as echo whsec_$(openssl rand -base64 32) writes",
            )
        return value

    @field_validator(
        "aiq_api_key",
        "klaviyo_api_key",
        "klaviyo_suppression_api_key",
    )
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _KEY.fullmatch(value.get_secret_value()):
            raise ValueError("has a space, a line break or a letter that no key has; copy it anew")
        return value

    @field_validator("flowhub_room_ids")
    @classmethod
    def _room_ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bare = tuple(room.replace("-", "") for room in value)
        for number, room in enumerate(bare, start=1):
            if not _ROOM_ID.fullmatch(room):
                raise ValueError(
                    f"entry {number} is not a room id: 32 letters and digits (hyphens allowed), no spaces; "
                    "take the id from Flowhub, not the room's name",
                )
        return bare

    @field_validator("partner_api_keys")
    @classmethod
    def _named_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for number, entry in enumerate(value, start=1):
            name, _, key = entry.get_secret_value().partition(":")
            if not name or not key:
                raise ValueError(f"entry {number} is not of the form name:key")
            if name in INTEGRATIONS:
                raise ValueError(f"entry {number} names a partner like an integration; give it another name")
        return value

    @property
    def home(self) -> Path:
        """The home folder, absolute."""
        return self.perennial_home.expanduser().absolute()

    @property
    def landing_url(self) -> str:
        """The root of the landing log: a path or an fsspec URL."""
        return self.perennial_landing_url or str(self.home / "landing")

    @property
    def ledger_url(self) -> str:
        """The ledger's SQLAlchemy URL."""
        return self.perennial_ledger_url or f"sqlite:///{self.home / 'ledger.sqlite'}"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone where nothing nearer to the event is known."""
        return ZoneInfo(self.perennial_timezone)

    @property
    def partner_keys(self) -> dict[str, str]:
        """Partner name → API key."""
        pairs = (entry.get_secret_value().partition(":") for entry in self.partner_api_keys)
        return {name: key for name, _, key in pairs}

    @property
    def flowhub_on(self) -> bool:
        """Whether Flowhub is pulled: as set, else when both credentials are there."""
        if self.flowhub_enabled is not None:
            return self.flowhub_enabled
        return bool(self.flowhub_client_id and self.flowhub_api_key)

    @property
    def flowhub_token_url(self) -> str:
        """Where an order-ahead token is asked for: as set, else Flowhub's own, or below another base address.

        Whoever points FLOWHUB_BASE_URL elsewhere does not have the secret sent to a third place.
        """
        is_flowhub = self.flowhub_base_url == _FLOWHUB
        base = self.flowhub_auth_url or (_FLOWHUB_AUTH if is_flowhub else self.flowhub_base_url)
        return f"{base}/oauth/token"

    @property
    def jane_on(self) -> bool:
        """Whether Jane's webhooks are accepted."""
        if self.jane_enabled is not None:
            return self.jane_enabled
        return bool(self.jane_webhook_token and self.jane_signing_secret)

    @property
    def omni_on(self) -> bool:
        """Whether OMNI is taken."""
        if self.omni_enabled is not None:
            return self.omni_enabled
        return bool(self.omni_shared_secret or self.omni_klaviyo_api_key)

    @property
    def omni_pulled(self) -> bool:
        """Whether OMNI's events are pulled from Klaviyo: there is a key, and OMNI is not switched off."""
        return self.omni_on and self.omni_klaviyo_api_key is not None


def secret(value: SecretStr | None, name: str) -> str:
    """Return a secret that the caller can't work without; ``SettingsError`` names it when it is missing."""
    if value is None:
        raise SettingsError(f"{name} is not set", f"put {name} into .env; .env.example says where to get it")
    return value.get_secret_value()


@cache
def load_settings() -> Settings:
    """Read the settings once; every problem is named in one error, values are not shown."""
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise SettingsError(
            f"settings can't be used: {problems}", "mend them in .env or the environment"
        ) from None
