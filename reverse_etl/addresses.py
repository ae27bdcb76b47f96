"""Addresses as the ledger compares them: normalised, and hashed where only equality matters."""

from typing import Literal

import phonenumbers

from perennial.salt import Salt

Channel = Literal["sms", "email"]
CHANNELS: tuple[Channel, ...] = ("sms", "email")
_REGION = "US"  # a number without a country is read as one of the stores' country


def normalise(channel: Channel, address: str, country: str = _REGION) -> str:
    """Return an e-mail in lower case, a phone in E.164 (without a plus: of a country); else what stands there."""
    bare = address.strip()
    if channel == "email":
        return bare.casefold()
    region = country.upper()
    try:
        number = phonenumbers.parse(bare, region if region in phonenumbers.SUPPORTED_REGIONS else _REGION)
    except phonenumbers.NumberParseException:
        return bare
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def address_hash(salt: Salt, channel: Channel, address: str, country: str = _REGION) -> str:
    """Return what stands for an address in suppressions and erasures: the same for every spelling of it."""
    return salt.hash(channel, normalise(channel, address, country))
