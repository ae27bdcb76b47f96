"""How order-ahead is opened: what to ask for a token, and what the answer to that means.

Flowhub hands out an *order-ahead client id* and a *token*. Its documents show a client-credentials exchange
(``POST https://flowhub.auth0.com/oauth/token``) whose secret fits that token; a client was seen that uses what it was
given as it stands. So: what has the form of a JWT is an access token and is used as it is. Anything else is exchanged
first, and used as it is only where the exchange does not know it (400, 401, 403) or does not exist (404, 405).

Pure: who sends the requests (the setup check, the push) does so in its own way and decides in the same one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

CREATE_PATH = "/order-ahead/v0/create"
STATUS_PATH = "/order-ahead/v0/orderStatus"
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_NOT_EXCHANGED = frozenset({400, 401, 403, 404, 405})
_EARLY = 60.0  # seconds before its end a token is asked for anew
_OK = 200


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Grant:
    """A bearer token; ``seconds`` is how long it may be used, None for as long as it works."""

    token: str = field(repr=False)
    seconds: float | None = None


def is_access_token(token: str) -> bool:
    """Tell whether the token is to be used as it stands: it is a JWT."""
    return _JWT.fullmatch(token) is not None


def exchange_body(client_id: str, token: str, audience: str) -> Mapping[str, str]:
    """Return the body of the exchange."""
    return {
        "client_id": client_id,
        "client_secret": token,
        "audience": audience,
        "grant_type": "client_credentials",
    }


def grant_of(status: int, content: bytes, token: str) -> Grant | None:
    """Read the answer to the exchange; None where it says nothing yet (429, 5xx, no token in it)."""
    if status in _NOT_EXCHANGED:
        return Grant(token)
    if status != _OK:
        return None
    try:
        answer = msgspec.json.decode(content, type=_Answer)
    except msgspec.DecodeError:
        return None
    return Grant(answer.access_token, max(0.0, answer.expires_in - _EARLY))
