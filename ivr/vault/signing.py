"""Who vouches for a report's row: a signature over everything in it, by the line or by an advocate who changed it.
Reading a row is not needed to sign or to verify it."""

from dataclasses import astuple, dataclass

import msgspec
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import SigningKey, VerifyKey

from ivr.vault.derivation import digest

SIGNER_SIZE = 8
SIGNATURE_SIZE = 64


@dataclass(frozen=True, slots=True)
class Statement:
    """What a signature says: every clear column, and the sealed body.

    The sealed data key is not in it, so that forgetting a report leaves its row true. It needs no mention: another
    key does not open this body, and the body opens as no other report.
    """

    id: bytes
    form: str
    epoch: str
    week: str
    turn: int
    consent: str
    state: str
    receipt_tag: bytes | None
    body: bytes


def new_signing_key() -> bytes:
    """32 secret bytes of a new Ed25519 key."""
    return bytes(SigningKey.generate())


def public_half(signing_key: bytes) -> bytes:
    """The 32 bytes that verify what this key signs."""
    return bytes(SigningKey(signing_key).verify_key)


def signer_of(public_key: bytes) -> bytes:
    """8 bytes that name a signer in a row: a digest of the public half. It only finds the key; the signature proves."""
    return digest(public_key, purpose="signer", size=SIGNER_SIZE)


def sign(statement: Statement, signing_key: bytes) -> bytes:
    """64 bytes (Ed25519)."""
    return SigningKey(signing_key).sign(_encode(statement)).signature


def verify(statement: Statement, signature: bytes, *, public_key: bytes) -> bool:
    """Whether the holder of this key made this statement."""
    try:
        VerifyKey(public_key).verify(_encode(statement), signature)
    except (BadSignatureError, CryptoError, ValueError):
        return False
    return True


def _encode(statement: Statement) -> bytes:
    """One encoding for one statement: msgpack of its fields in order, under a title no other signature has."""
    return b"porchlight report 1" + msgspec.msgpack.encode(astuple(statement))
