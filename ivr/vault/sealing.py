"""A report's body: what she answered, the day and the handle, sealed so that the line that wrote it cannot read it.
Every body of every form has one length. Never knows a form's questions."""

from dataclasses import dataclass

import msgspec
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt as decrypt,
)
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt,
)
from nacl.exceptions import CryptoError
from nacl.utils import random

from ivr.engine.asks import Answers
from ivr.vault.padding import pad, unpad
from ivr.vault.wrapping import OVERHEAD, unwrap, wrap

PADDED_SIZE = 624
"""Bytes of every body before sealing: what rows of 900 bytes leave beside their clear columns."""
SEALED_SIZE = PADDED_SIZE + 16
MAX_ENCODED = PADDED_SIZE - 1
"""Bytes that a body may take as msgpack; the answers alone, at most 31 less."""

DATA_KEY_SIZE = 32
SEALED_KEY_SIZE = DATA_KEY_SIZE + OVERHEAD

_NONCE = bytes(24)
"""Constant, because a data key seals one body and is then gone: a save draws a new one."""


class BodyTooLong(ValueError):
    """The answers do not fit into the one length that every body has."""


class Body(msgspec.Struct, frozen=True, array_like=True):
    """What only an advocate reads. New fields are added last, with a default."""

    day: str
    """ISO 8601, YYYY-MM-DD, where the line is."""
    handle: bytes
    answers: Answers
    is_addition: bool = False
    """It was added, with a receipt, to the report whose tag it has."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body belongs: it opens as no other report, form or epoch."""

    id: bytes
    form: str
    epoch: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A body (640 bytes) and its data key sealed to the epoch (80 bytes); the second is what forgetting deletes."""

    body: bytes
    key: bytes


def seal(body: Body, place: Place, *, epoch_key: bytes) -> Sealed:
    """Sealed under a fresh data key to the epoch's public key. Raises BodyTooLong."""
    encoded = msgspec.msgpack.encode(body)
    if len(encoded) > MAX_ENCODED:
        raise BodyTooLong(f"the answers take {len(encoded)} bytes of {MAX_ENCODED}: shorten the form's names")
    return seal_padded(pad(encoded, size=PADDED_SIZE), associated=_associated(place), epoch_key=epoch_key)


def open_body(sealed: Sealed, place: Place, *, epoch_key: bytes) -> Body | None:
    """The body, by the epoch's private key; None if anything of it was altered, swapped or moved here."""
    padded = open_padded(sealed, associated=_associated(place), epoch_key=epoch_key)
    try:
        return None if padded is None else msgspec.msgpack.decode(unpad(padded), type=Body)
    except (ValueError, msgspec.MsgspecError):
        return None


def noise() -> bytes:
    """What stands where a body was, once it was taken back: as long, and nothing."""
    return random(SEALED_SIZE)


def seal_padded(padded: bytes, *, associated: bytes, epoch_key: bytes) -> Sealed:
    """Anything of a constant length under a fresh data key to the epoch's public key; it opens beside `associated`."""
    data_key = random(DATA_KEY_SIZE)
    return Sealed(body=encrypt(padded, associated, _NONCE, data_key), key=wrap(data_key, to=epoch_key))


def open_padded(sealed: Sealed, *, associated: bytes, epoch_key: bytes) -> bytes | None:
    """What was sealed, by the epoch's private key; None if anything was altered, swapped or moved."""
    data_key = unwrap(sealed.key, by=epoch_key)
    try:
        return None if data_key is None else decrypt(sealed.body, associated, _NONCE, data_key)
    except (CryptoError, ValueError):
        return None


def _associated(place: Place) -> bytes:
    return msgspec.msgpack.encode(("report body", place.id, place.form, place.epoch))
