"""Which streams of the log the models read, and which of them are news to the warehouse."""

import re
from collections.abc import Iterable

_LANDED_CALL = re.compile(r"\blanded\(\s*'(?P<source>\w+)'\s*,\s*\[(?P<streams>[^\]]*)\]")
_OWN = "perennial/"
# A person's deed lands through us, and is not of our making: it is news like a webhook.
_OPERATIONS = "perennial/operations"


def streams_read(sql: str) -> list[str]:
    """Return the streams that a model reads with ``landed('source', ['stream', …])``, as ``source/stream``.

    Landed files are no relations, so the models name streams and not dbt sources.
    """
    return [
        f"{call['source']}/{stream}"
        for call in _LANDED_CALL.finditer(sql)
        for stream in re.findall(r"'(\w+)'", call["streams"])
    ]


def has_news(streams: Iterable[str]) -> bool:
    """Tell whether a batch with these streams is to be built.

    What the builder and the push land starts no build, or builds would start each other.
    """
    return any(stream == _OPERATIONS or not stream.startswith(_OWN) for stream in streams)
