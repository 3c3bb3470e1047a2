"""An advocate's own keys: made for her, locked with her passphrase, unlocked for as long as she reads.
Nobody else, and not the line, can unlock them; a forgotten passphrase is lost."""

import unicodedata
from dataclasses import dataclass, field

from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey
from nacl.secret import Aead
from nacl.signing import SigningKey
from nacl.utils import random

SALT_SIZE = pwhash.argon2id.SALTBYTES
ID_SIZE = 16
SEED_SIZE = 32


@dataclass(frozen=True, slots=True)
class Effort:
    """What one guess at a passphrase costs by Argon2id: passes, and bytes of memory."""

    passes: int
    memory: int


MODERATE = Effort(passes=pwhash.argon2id.OPSLIMIT_MODERATE, memory=pwhash.argon2id.MEMLIMIT_MODERATE)
"""libsodium's "moderate": 3 passes over 256 MiB, most of a second. It is kept beside the keys it locked."""


class WrongPassphrase(Exception):
    """The passphrase does not unlock these keys."""


@dataclass(frozen=True, slots=True)
class Locked:
    """An advocate as she is stored: two public keys (32 bytes each), and their private halves under her passphrase."""

    id: bytes
    name: str
    sealing_key: bytes
    """X25519: epochs are wrapped to it."""
    signing_key: bytes
    """Ed25519: what she changes is signed with it."""
    salt: bytes
    effort: Effort
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unlocked:
    """Her private keys, in memory only."""

    id: bytes
    name: str
    sealing_key: bytes = field(repr=False)
    signing_key: bytes = field(repr=False)


def enrol(name: str, passphrase: str, *, effort: Effort = MODERATE) -> Locked:
    """New keys for an advocate, locked with her passphrase. Takes as long as `effort` says."""
    sealing, signing, salt = PrivateKey.generate(), SigningKey.generate(), random(SALT_SIZE)
    publics = bytes(sealing.public_key) + bytes(signing.verify_key)
    key = _stretch(passphrase, salt=salt, effort=effort)
    return Locked(
        id=random(ID_SIZE),
        name=name,
        sealing_key=bytes(sealing.public_key),
        signing_key=bytes(signing.verify_key),
        salt=salt,
        effort=effort,
        wrapped=bytes(Aead(key).encrypt(bytes(sealing) + bytes(signing), publics)),
    )


def unlock(advocate: Locked, passphrase: str) -> Unlocked:
    """Her private keys. Raises WrongPassphrase, also when her stored public keys are not the ones she was given."""
    key = _stretch(passphrase, salt=advocate.salt, effort=advocate.effort)
    try:
        private = Aead(key).decrypt(advocate.wrapped, advocate.sealing_key + advocate.signing_key)
    except (CryptoError, ValueError) as error:
        raise WrongPassphrase(f"that is not {advocate.name}'s passphrase") from error
    return Unlocked(advocate.id, advocate.name, private[:SEED_SIZE], private[SEED_SIZE:])


def _stretch(passphrase: str, *, salt: bytes, effort: Effort) -> bytes:
    """One spelling of what she typed: keyboards compose accents differently."""
    typed = unicodedata.normalize("NFKC", passphrase).encode()
    return pwhash.argon2id.kdf(Aead.KEY_SIZE, typed, salt, opslimit=effort.passes, memlimit=effort.memory)
