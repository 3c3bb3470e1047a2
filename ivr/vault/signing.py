"""Who vouches for a row: a signature over everything in it, by the line or by the advocate who last changed it.
Reading a row is not needed to sign or to verify it."""

from dataclasses import astuple, dataclass, field
from typing import ClassVar

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

    title: ClassVar[bytes] = b"porchlight report 1"

    id: bytes
    form: str
    epoch: str
    week: str
    turn: int
    consent: str
    state: str
    receipt_tag: bytes | None
    body: bytes


@dataclass(frozen=True, slots=True)
class NoteStatement:
    """What the signature of a note is over: where it belongs, and what is in it."""

    title: ClassVar[bytes] = b"porchlight note 1"

    id: bytes
    report_id: bytes
    epoch: str
    body: bytes


Signed = Statement | NoteStatement


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who signs. Made once for many signatures: to expand a key costs more than to sign with it."""

    id: bytes
    """8 bytes that name her in rows."""
    public_key: bytes
    """32 bytes that verify what she signs."""
    _key: SigningKey = field(repr=False)

    @classmethod
    def of(cls, signing_key: bytes) -> "Signer":
        """From 32 secret bytes (Ed25519)."""
        key = SigningKey(signing_key)
        public_key = bytes(key.verify_key)
        return cls(signer_of(public_key), public_key, key)

    def sign(self, statement: Signed) -> bytes:
        """64 bytes (Ed25519)."""
        return self._key.sign(_encode(statement)).signature


def public_half(signing_key: bytes) -> bytes:
    """The 32 bytes that verify what this key signs."""
    return bytes(SigningKey(signing_key).verify_key)


def signer_of(public_key: bytes) -> bytes:
    """8 bytes that name a signer in a row: a digest of the public half. It only finds the key; the signature proves."""
    return digest(public_key, purpose="signer", size=SIGNER_SIZE)


def verify(statement: Signed, signature: bytes, *, public_key: bytes) -> bool:
    """Whether the holder of this key made this statement."""
    try:
        VerifyKey(public_key).verify(_encode(statement), signature)
    except (BadSignatureError, CryptoError, ValueError):
        return False
    return True


def _encode(statement: Signed) -> bytes:
    """One encoding for one statement: msgpack of its fields in order, under a title no other signature has."""
    return statement.title + msgspec.msgpack.encode(astuple(statement))
