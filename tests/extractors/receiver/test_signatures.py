"""Signatures: the contracts' vectors, and properties that hold for any body."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from extractors.receiver.signatures import (
    bearer_token,
    is_stale,
    jane_signature,
    jane_signed,
    owner_of,
    same_secret,
    shopify_signature,
    shopify_signed,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_text = st.text(st.characters(codec="utf-8"), max_size=30)


def test_jane_signs_as_in_the_contract() -> None:
    """The vector fixes the separator, the digest and its form."""
    body = b'{"cart":{"id":7469,"status":"verification"}}'
    expected = "d8c2af55ca1b54195f50d4a15b52c8675f60087e5f6438e33d11dee6a0e23a14"
    assert jane_signature("jane_test_signing_secret", "1767225600", body) == expected
    assert jane_signed(["jane_test_signing_secret"], "1767225600", body, expected.upper())


def test_shopify_signs_as_in_the_contract() -> None:
    """The vector fixes base64 over the raw body."""
    body = b'{"admin_graphql_api_customer_kept_id":"gid://shopify/Customer/1"}'
    expected = "tBKMi6KZHazuyrwDCXOFLflhtBDuLq8RutLFs+epXhc="
    assert shopify_signature("shopify_test_client_secret", body) == expected
    assert shopify_signed("shopify_test_client_secret", body, expected)


@given(first=_text, second=_text, timestamp=_text, body=st.binary(max_size=100))
def test_either_of_two_jane_secrets_is_good(first: str, second: str, timestamp: str, body: bytes) -> None:
    """So that a secret can be rotated without losing a webhook."""
    for secret in (first, second):
        assert jane_signed([first, second], timestamp, body, jane_signature(secret, timestamp, body))


@given(body=st.binary(max_size=100), other=st.binary(max_size=100), timestamp=st.from_regex(r"\A\d{10}\Z"))
def test_a_signature_is_good_for_its_own_body_and_timestamp_only(
    body: bytes, other: bytes, timestamp: str
) -> None:
    """A byte moved from one to the other is another message."""
    assume(body != other)
    signature = jane_signature("secret", timestamp, body)
    assert not jane_signed(["secret"], timestamp, other, signature)
    assert not jane_signed(["secret"], timestamp + "0", body, signature)
    assert not jane_signed(["another"], timestamp, body, signature)
    assert not shopify_signed("secret", other, shopify_signature("secret", body))


@given(body=st.binary(max_size=100), signature=_text)
def test_no_text_passes_for_a_signature(body: bytes, signature: str) -> None:
    """Nothing that a sender can put into the header raises or passes."""
    assert not jane_signed(["secret"], "1", body, signature)
    assert not shopify_signed("secret", body, signature)


@given(expected=_text, given_secret=_text)
def test_secrets_are_the_same_only_when_equal(expected: str, given_secret: str) -> None:
    """An absent header is never a secret, not even an empty one."""
    assert same_secret(expected, given_secret) == (expected == given_secret)
    assert not same_secret(expected, None)


def test_a_key_names_its_owner() -> None:
    """Names are found by keys, never the reverse."""
    keys = {"acme": "one", "other": "two"}
    assert [owner_of(key, keys) for key in ("one", "two", "acme", "", None)] == [
        "acme",
        "other",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", None),
        ("Bearer ", None),
        ("", None),
        (None, None),
    ],
)
def test_bearer_tokens_are_read(header: str | None, token: str | None) -> None:
    """The scheme's case doesn't matter."""
    assert bearer_token(header) == token


@pytest.mark.parametrize(
    ("timestamp", "stale"),
    [
        ("1767225600", False),
        ("1767225301", False),
        ("1767225299", True),
        ("1767225600000", False),
        ("2026-01-01T00:00:00Z", False),
        ("2025-12-31T17:00:00-07:00", False),
        ("2025-12-31 23:54:00", True),
        ("1767226000", True),
        ("yesterday", True),
        ("9" * 5000, True),
        ("²", True),
    ],
)
def test_a_timestamp_is_fresh_for_five_minutes(timestamp: str, stale: bool) -> None:  # noqa: FBT001  # a case
    """Seconds, milliseconds and ISO 8601 are understood; what isn't can't be called fresh."""
    assert is_stale(timestamp, NOW) is stale


@given(timestamp=st.text(max_size=40), ahead=st.timedeltas(timedelta(0), timedelta(days=400)))
def test_any_timestamp_has_an_answer(timestamp: str, ahead: timedelta) -> None:
    """Freshness never raises."""
    assert is_stale(timestamp, NOW + ahead) in (True, False)
