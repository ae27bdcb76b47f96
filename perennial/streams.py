"""The streams of the landing log: what each holds, whether it is to be expected, and when its silence is news.

A stream has the same two words in landing, as a dbt source and as an asset key. A row of any other pair of source and
stream is read by nobody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from perennial.settings import Settings


@dataclass(frozen=True, slots=True)
class Foreign:
    """A stream that others send; ``is_on`` tells from the settings whether anything is to be expected of it.

    Not heard of for ``late_after`` it deserves a look, for ``stale_after`` something is broken. To be pulled and
    found without news is to be heard of.
    """

    holds: str
    is_on: Callable[[Settings], bool]
    late_after: timedelta
    stale_after: timedelta
    is_pulled: bool


@dataclass(frozen=True, slots=True)
class Own:
    """A stream that Perennial itself lands; ``has_keys``: models tell a repetition from news by the source key."""

    holds: str
    has_keys: bool


def _pulled(
    holds: str, late_after: timedelta, stale_after: timedelta, is_on: Callable[[Settings], bool]
) -> Foreign:
    return Foreign(holds, is_on, late_after, stale_after, is_pulled=True)


def _webhook(holds: str, is_on: Callable[[Settings], bool]) -> Foreign:
    return Foreign(holds, is_on, timedelta(hours=1), timedelta(hours=6), is_pulled=False)


def _flowhub(settings: Settings) -> bool:
    return settings.flowhub_on


def _jane(settings: Settings) -> bool:
    return settings.jane_on


# Three missed pulls are late. Locations are pulled once a day.
FOREIGN: Mapping[str, Foreign] = MappingProxyType(
    {
        "flowhub/locations": _pulled(
            "A store of the client, as Flowhub's API returned it; daily.",
            timedelta(hours=26),
            timedelta(hours=50),
            _flowhub,
        ),
        "flowhub/inventory": _pulled(
            "An inventory item that changed since the last pull; every 10 minutes.",
            timedelta(minutes=30),
            timedelta(hours=2),
            _flowhub,
        ),
        "flowhub/customers": _pulled(
            "A customer whose record changed since the last pull; every 10 minutes.",
            timedelta(minutes=30),
            timedelta(hours=2),
            _flowhub,
        ),
        "flowhub/orders": _pulled(
            "An order or a new status of one; every 2 minutes.",
            timedelta(minutes=6),
            timedelta(minutes=30),
            _flowhub,
        ),
        "flowhub/pulls": _pulled(
            "A marker per pull with its counts: absence is inferred between complete ones only.",
            timedelta(minutes=6),
            timedelta(minutes=30),
            _flowhub,
        ),
        "omni/klaviyo_events": _pulled(
            "A loyalty event that OMNI wrote to Klaviyo, with its profile; every 3 minutes.",
            timedelta(minutes=9),
            timedelta(minutes=30),
            lambda settings: settings.omni_pulled,
        ),
        "jane/cart_status": _webhook("A status of a Jane cart, sent by Jane's webhook.", _jane),
        "jane/cart_abandoned": _webhook("A cart that Jane reports abandoned, sent by Jane's webhook.", _jane),
        "omni/events": _webhook(
            "A loyalty event that OMNI sent through Shopify Flow.",
            lambda settings: settings.omni_on and settings.omni_shared_secret is not None,
        ),
        "shopify/webhooks": _webhook(
            "A customer or order topic that Shopify sent.",
            lambda settings: settings.shopify_client_secret is not None,
        ),
        "partners/events": _webhook(
            "An event that a partner posted.", lambda settings: bool(settings.partner_api_keys)
        ),
        "messaging/feedback": _webhook(
            "What became of a message: delivered, opened, clicked, unsubscribed.",
            lambda settings: settings.messaging_webhook_secret is not None,
        ),
    }
)

OWN: Mapping[str, Own] = MappingProxyType(
    {
        "perennial/moments": Own(
            "A build: its number, its instant and the last batch that it read.", has_keys=False
        ),
        "perennial/decisions": Own(
            "What a build decided: an enrollment, a skipped candidate, an exit, an order for the till.",
            has_keys=True,
        ),
        "perennial/audience_changes": Own("Who entered or left an audience at a moment.", has_keys=False),
        "perennial/derived_events": Own("An event that exists because the clock moved.", has_keys=False),
        "perennial/customer_id_changes": Own(
            "A person whose id gave way to another one, and why.", has_keys=False
        ),
        "perennial/receipts": Own("What became of an enrollment at its destination.", has_keys=True),
        "perennial/erasures": Own("Who was erased, as salted hashes: what keeps her opt-out.", has_keys=True),
        "perennial/order_receipts": Own(
            "What became of an order that was pushed into the till, with the till's id of it.", has_keys=True
        ),
        "perennial/notice_receipts": Own(
            "What became of telling a destination that an enrollment ended or an address was closed.",
            has_keys=True,
        ),
        "perennial/operations": Own("What an operator did: released, held, discarded.", has_keys=True),
    }
)

KNOWN: frozenset[str] = frozenset({*FOREIGN, *OWN})
# Every stream here gives its rows a source key.
KEYED: frozenset[str] = frozenset({*FOREIGN, *(name for name, own in OWN.items() if own.has_keys)})


def of_source(source: str) -> list[str]:
    """Return the streams that one source sends, as ``source/stream``."""
    return [name for name in FOREIGN if name.startswith(f"{source}/")]


def is_expected(stream: str, settings: Settings) -> bool:
    """Tell whether others are to send a stream: it is theirs, and neither switched off nor without what it needs."""
    return stream in FOREIGN and FOREIGN[stream].is_on(settings)
