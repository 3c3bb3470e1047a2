"""An advocate's own keys: made for her, locked with her passphrase, unlocked for as long as she reads.
Nobody else, and not the line, can unlock them; a forgotten passphrase is lost."""

import unicodedata
from dataclasses import dataclass, field, replace
from enum import StrEnum

from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey
from nacl.secret import Aead
from nacl.signing import SigningKey
from nacl.utils import random

from ivr.kit.told import Told
from ivr.vault.organisation import Claim, Pin

SALT_SIZE = pwhash.argon2id.SALTBYTES
ID_SIZE = 16
SEED_SIZE = 32


@dataclass(frozen=True, slots=True)
class Effort:
    """What one guess at a passphrase costs by Argon2id: passes, and bytes of memory."""

    passes: int
    memory: int


DEAREST = Effort(passes=pwhash.argon2id.OPSLIMIT_SENSITIVE, memory=pwhash.argon2id.MEMLIMIT_SENSITIVE)
"""libsodium's "sensitive": 4 passes over 1 GiB. Whoever writes more beside her keys only wants her to wait."""
MODERATE = Effort(passes=pwhash.argon2id.OPSLIMIT_MODERATE, memory=pwhash.argon2id.MEMLIMIT_MODERATE)
"""libsodium's "moderate": 3 passes over 256 MiB, most of a second. It is kept beside the keys it locked."""


class Role(StrEnum):
    """What an advocate may do with keys."""

    ADVOCATE = "advocate"
    """She reads reports."""
    LEAD = "lead"
    """She also holds the organisation's key: adds and removes advocates, makes epochs."""


class WrongPassphrase(Told):
    """The passphrase does not unlock these keys."""


@dataclass(frozen=True, slots=True)
class Locked:
    """An advocate as she is stored: two public keys (32 bytes each), and their private halves under her passphrase."""

    id: bytes
    name: str
    role: Role
    sealing_key: bytes
    """X25519: epochs are wrapped to it."""
    signing_key: bytes
    """Ed25519: what she changes is signed with it."""
    salt: bytes
    effort: Effort
    wrapped: bytes = field(repr=False)

    def claim(self) -> Claim:
        """What her certificate is about: everything but her passphrase, which is hers to change."""
        return ("advocate", self.id, self.name, self.role.value, self.sealing_key, self.signing_key)


@dataclass(frozen=True, slots=True)
class Unlocked:
    """Her private keys, in memory only."""

    id: bytes
    name: str
    role: Role
    pin: Pin
    """Whose advocate she is: what her passphrase opens nobody planted."""
    sealing_key: bytes = field(repr=False)
    signing_key: bytes = field(repr=False)


def enrol(name: str, passphrase: str, *, role: Role, pin: Pin, effort: Effort = MODERATE) -> Locked:
    """New keys for an advocate of an organisation, locked with her passphrase. Takes as long as `effort` says."""
    sealing, signing = PrivateKey.generate(), SigningKey.generate()
    bare = Locked(
        id=random(ID_SIZE),
        name=name,
        role=role,
        sealing_key=bytes(sealing.public_key),
        signing_key=bytes(signing.verify_key),
        salt=b"",
        effort=effort,
        wrapped=b"",
    )
    return _lock(bare, bytes(sealing) + bytes(signing) + pin, passphrase=passphrase, effort=effort)


def relock(advocate: Locked, own: Unlocked, passphrase: str, *, effort: Effort = MODERATE) -> Locked:
    """The same keys under a new passphrase. Takes as long as `effort` says."""
    private = own.sealing_key + own.signing_key + own.pin
    return _lock(advocate, private, passphrase=passphrase, effort=effort)


def unlock(advocate: Locked, passphrase: str) -> Unlocked:
    """Her private keys. Raises WrongPassphrase, also when what is stored of her is not what she was given: other public
    keys, another effort, or other private keys under somebody else's passphrase."""
    wrong = WrongPassphrase(f"that is not {advocate.name}'s passphrase")
    if advocate.effort.passes > DEAREST.passes or advocate.effort.memory > DEAREST.memory:
        raise wrong
    try:
        key = _stretch(passphrase, salt=advocate.salt, effort=advocate.effort)
    except ValueError as error:  # an effort or a salt that nobody can have chosen
        raise wrong from error
    try:
        private = Aead(key).decrypt(advocate.wrapped, advocate.sealing_key + advocate.signing_key)
        sealing, signing, pin = (private[at : at + SEED_SIZE] for at in range(0, 3 * SEED_SIZE, SEED_SIZE))
        publics = (bytes(PrivateKey(sealing).public_key), bytes(SigningKey(signing).verify_key))
    except (CryptoError, ValueError) as error:
        raise wrong from error
    if publics != (advocate.sealing_key, advocate.signing_key):
        raise wrong
    return Unlocked(advocate.id, advocate.name, advocate.role, Pin(pin), sealing, signing)


def _lock(advocate: Locked, private: bytes, *, passphrase: str, effort: Effort) -> Locked:
    salt = random(SALT_SIZE)
    key = _stretch(passphrase, salt=salt, effort=effort)
    wrapped = bytes(Aead(key).encrypt(private, advocate.sealing_key + advocate.signing_key))
    return replace(advocate, salt=salt, effort=effort, wrapped=wrapped)


def _stretch(passphrase: str, *, salt: bytes, effort: Effort) -> bytes:
    """One spelling of what she typed: keyboards compose accents differently."""
    typed = unicodedata.normalize("NFKC", passphrase).encode()
    return pwhash.argon2id.kdf(Aead.KEY_SIZE, typed, salt, opslimit=effort.passes, memlimit=effort.memory)
