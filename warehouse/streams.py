"""Which streams of the log are news to the warehouse."""

from collections.abc import Iterable

_OWN = "perennial/"
# A person's deed lands through us, and is not of our making: it is news like a webhook.
_OPERATIONS = "perennial/operations"
# What the push itself reads people's words from: a shopper's no, an operator's deed.
_WORDS = frozenset({"messaging/feedback", "partners/events", "shopify/webhooks", _OPERATIONS})


def has_news(streams: Iterable[str]) -> bool:
    """Tell whether a batch with these streams is to be built.

    What the builder and the push land starts no build, or builds would start each other.
    """
    return any(stream == _OPERATIONS or not stream.startswith(_OWN) for stream in streams)


def may_hold_words(streams: Iterable[str]) -> bool:
    """Tell whether a batch with these streams may hold a word that the push acts on before anything is built of it."""
    return not _WORDS.isdisjoint(streams)
