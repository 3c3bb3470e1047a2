"""The organisation's signing key: it certifies advocates, epochs, the recovery key and the line's own keys.
Its private half exists only wrapped to leads and to the recovery key; the public half is pinned in the settings, and
what it did not certify is nobody's, whoever wrote it into the database."""

from typing import NewType

import msgspec
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import SigningKey, VerifyKey

from ivr.vault.derivation import derive

KEY_SIZE = 32
CERTIFICATE_SIZE = 64
SALT_SIZE = 16

Claim = tuple[str | bytes, ...]
"""What a certificate is about: a kind, and everything of it that must not change."""

Pin = NewType("Pin", bytes)
"""The public half, 32 bytes: what a line and its advocates trust."""


class WrongPin(ValueError):
    """Not the public half of an organisation's key as it is written down."""


def new_key() -> bytes:
    """32 secret bytes of a new Ed25519 key."""
    return bytes(SigningKey.generate())


def pin_of(organisation_key: bytes) -> Pin:
    """The public half of an organisation's key."""
    return Pin(bytes(SigningKey(organisation_key).verify_key))


def written(pin: Pin) -> str:
    """How a pin is written into settings: 64 hexadecimal digits."""
    return pin.hex()


def read_pin(text: str) -> Pin:
    """The pin that somebody wrote down. Raises WrongPin."""
    try:
        pin = bytes.fromhex(text.strip())
    except ValueError:
        pin = b""
    if len(pin) != KEY_SIZE:
        raise WrongPin("the organisation's key is 64 hexadecimal digits, as `ivr init` showed it")
    return Pin(pin)


def certify(claim: Claim, organisation_key: bytes) -> bytes:
    """64 bytes (Ed25519) by which anybody with the pin knows that a lead of this organisation made the claim."""
    return SigningKey(organisation_key).sign(_encode(claim)).signature


def is_certified(claim: Claim, certificate: bytes, *, pin: Pin) -> bool:
    """Whether this organisation made exactly this claim."""
    try:
        VerifyKey(pin).verify(_encode(claim), certificate)
    except (BadSignatureError, CryptoError, ValueError):
        return False
    return True


def site_salt(organisation_key: bytes) -> bytes:
    """The 16 bytes that make this organisation's receipts nobody else's.

    Derived, so that a lead can give them to a new host when the old one is lost, and every receipt goes on.
    """
    return derive(organisation_key, b"", purpose="site salt", size=SALT_SIZE)


def _encode(claim: Claim) -> bytes:
    """One encoding for one claim, under a title that no other signature has."""
    return b"porchlight certificate 1" + msgspec.msgpack.encode(claim)
