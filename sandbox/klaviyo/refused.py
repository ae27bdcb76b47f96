"""What Klaviyo refuses, and how it says so."""

import uuid

from fastapi import Response

from sandbox.json_response import Json

JSON_API = "application/vnd.api+json"
TOO_MANY_REQUESTS = 429


class Refused(Exception):  # noqa: N818 - named for what the vendor says
    """A call that the vendor refuses, with the place in the body."""

    def __init__(
        self, detail: str, where: str | dict[str, str], *, status: int = 400, code: str = "invalid"
    ) -> None:
        """Say what is wrong and where: a pointer into the body, or the source as it is to be written."""
        super().__init__(detail)
        self.detail, self.status, self.code = detail, status, code
        self.source = {"pointer": where} if isinstance(where, str) else where


def answer_of(refused: Refused) -> Response:
    """Return the JSON:API error of a refusal."""
    error = {
        "id": str(uuid.uuid4()),
        "status": refused.status,
        "code": refused.code,
        "title": "Invalid input." if refused.code == "invalid" else refused.detail,
        "detail": refused.detail,
        "source": refused.source,
        "links": {},
        "meta": {},
    }
    return Json({"errors": [error]}, refused.status, media_type=JSON_API)
