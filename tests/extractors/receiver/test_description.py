"""What /openapi.json says is what the receiver does: requests made from it, right and wrong, on a real server."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
import pytest
import requests
from hypothesis import HealthCheck, Phase
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.openapi.loaders import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from extractors.receiver.app import create_app
from extractors.receiver.signatures import jane_signature, shopify_signature
from perennial.clock import clock_of
from tests.extractors.receiver.serving import NOW, make_settings, serving

CONFORMS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
TOO_MANY_WAYS = "/v1/events"  # to be wrong: each wrong event is tried against every model


class Proof(requests.auth.AuthBase):
    """Proves who sends, over the bytes that are sent: without it nothing would come further than 401."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the proof that the path asks for."""
        body = request.body or b""
        sent = body.encode() if isinstance(body, str) else bytes(body)  # type: ignore[arg-type]  # not a stream
        timestamp = str(int(NOW.timestamp()))
        source = request.path_url.removeprefix("/webhooks/").partition("/")[0]
        proofs = {
            "jane": {
                "Authorization": "Bearer sandbox-jane-token",
                "X-Jane-Request-Timestamp": timestamp,
                "X-Jane-Signature": jane_signature("jane_test_signing_secret", timestamp, sent),
            },
            "shopify": {"X-Shopify-Hmac-SHA256": shopify_signature("shopify_test_client_secret", sent)},
            "omni": {"X-Perennial-Secret": "omni-secret"},
            "messaging": {"X-Perennial-Secret": "messaging-secret"},
        }
        request.headers.update(proofs.get(source, {"X-API-Key": "key-of-acme"}))
        return request


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve, and return where."""
    with serving(make_settings(tmp_path_factory.mktemp("described"))) as receiver:
        yield str(receiver.client.base_url)


def description() -> dict[str, Any]:
    """Return /openapi.json without the proofs that senders give, which are computed from each body."""
    with TemporaryDirectory() as home:
        settings = make_settings(Path(home))
        document = create_app(settings, clock_of(settings)).openapi()
    for operations in document["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
    return document


DESCRIPTION = description()
POSTS = [path for path, operations in DESCRIPTION["paths"].items() if "post" in operations]
GETS = [path for path, operations in DESCRIPTION["paths"].items() if "get" in operations]


@pytest.mark.parametrize("path", POSTS)
def test_what_fits_the_description_is_taken(address: str, path: str) -> None:
    """Whatever the description allows gets 2xx and the answer that it describes."""

    def judge(case: Case[Any]) -> None:
        response = case.call(base_url=address, auth=Proof())
        case.validate_response(response, checks=[*CONFORMS, positive_data_acceptance])
        assert response.json().get("rejected", []) == []

    _try(path, "POST", GenerationMode.POSITIVE, 15, judge)


@pytest.mark.parametrize("path", POSTS)
def test_what_does_not_fit_the_description_is_refused(address: str, path: str) -> None:
    """With 4xx in the one form; of a list the bad events come back with their place and a reason."""

    def judge(case: Case[Any]) -> None:
        response = case.call(base_url=address, auth=Proof())
        case.validate_response(response, checks=CONFORMS)
        if response.status_code == 200:
            assert response.json()["rejected"] != []
        else:
            assert 400 <= response.status_code < 500
            assert {"error", "reason", "fix"} <= response.json().keys()

    _try(path, "POST", GenerationMode.NEGATIVE, 4 if path == TOO_MANY_WAYS else 15, judge)


@pytest.mark.parametrize("path", GETS)
def test_what_is_asked_is_answered_as_described(address: str, path: str) -> None:
    """The operator's routes."""

    def judge(case: Case[Any]) -> None:
        case.validate_response(case.call(base_url=address), checks=CONFORMS)

    _try(path, "GET", GenerationMode.POSITIVE, 1, judge)


def _try(path: str, method: str, mode: GenerationMode, examples: int, judge: Any) -> None:
    """Judge some requests of one operation, the same ones in every run."""
    operation = from_dict(DESCRIPTION)[path][method]
    settings = hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    settings(hypothesis.given(case=operation.as_strategy(generation_mode=mode))(judge))()
