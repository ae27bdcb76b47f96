"""JSON answers."""

import msgspec
from fastapi import Response


class Json(Response):
    """JSON of any object that msgspec writes."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Write it."""
        return content if isinstance(content, bytes) else msgspec.json.encode(content)
