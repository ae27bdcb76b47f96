"""What of a message's context may leave for a destination.

Medical ids, the programme, strains, and which products a message is about leave only for destinations that the seed
``destination_fields`` lists them for, with the purpose ``detail``. A field is such a detail by the words of its name,
at whatever depth it stands, or because the seed lists it for any destination at all.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_DETAIL = re.compile(
    r"(^|_)(medical|med|patient|caregiver|program|programme|strains?|species|lineage|terpenes?|thca?|cbd|cannabinoids?"
    r"|potency|products?|brands?|category|categories|subtype|variant|sku|lines?|items?)(_|$)"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class OutgoingFields:
    """The fields that each destination may be told."""

    def __init__(self, listed: Iterable[tuple[str, str]]) -> None:
        """Take the seed's rows of details: destination and field."""
        self._listed = frozenset(listed)
        self._details = frozenset(field for _, field in self._listed)

    def of(self, destination: str, context: Mapping[str, Any]) -> dict[str, Any]:
        """Return a context without the details that the destination is not told."""
        return {
            name: self._inside(destination, value)
            for name, value in context.items()
            if self._may_leave(destination, name)
        }

    def withheld(self, destination: str, names: Iterable[str]) -> list[str]:
        """Return those of a context's fields that a destination is not told, in their order."""
        return [name for name in names if not self._may_leave(destination, name)]

    def _may_leave(self, destination: str, name: str) -> bool:
        field = _HUMP.sub("_", name).lower()
        is_detail = field in self._details or _DETAIL.search(field) is not None
        return not is_detail or (destination, field) in self._listed

    def _inside(self, destination: str, value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
        if isinstance(value, Mapping):
            return self.of(destination, value)
        if isinstance(value, list):
            return [self._inside(destination, element) for element in value]
        if isinstance(value, str) and value[:1] in {"[", "{"}:
            return self._inside_text(destination, value)
        return value

    def _inside_text(self, destination: str, text: str) -> str:
        """Look into a JSON text, as a flow's SQL gives lists of products."""
        try:
            told = json.loads(text)
        except ValueError:
            return text
        return json.dumps(self._inside(destination, told), ensure_ascii=False, separators=(",", ":"))
