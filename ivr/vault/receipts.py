"""What a call can always work out again: its seed, the ids of what it writes, the receipt its caller hears.
Everything is keyed BLAKE2b under a purpose of its own; nothing here is stored, and no code leads back to a call."""

from datetime import timedelta
from pathlib import Path

from nacl import pwhash
from nacl.utils import random

from ivr.vault.derivation import derive, digest
from ivr.vault.keyring import KeyRing

ROLLS = timedelta(minutes=10)
LIVES = timedelta(minutes=20)

SEED_SIZE = 16
ID_SIZE = 16
TAG_SIZE = 16
HANDLE_SIZE = 16
LOCK_SIZE = 8

DIGITS = 12
SLOW_PASSES = 2
SLOW_MEMORY = 16 * 1024 * 1024
"""Bytes. About 16 ms for each of the 10^12 codes, which is what protects a code whose tags and keys were stolen."""


def seed_keys(directory: Path) -> KeyRing[bytes]:
    """K_seed: a new one every 10 minutes and one predecessor, so that a doubled answer webhook begins the same call."""
    return KeyRing(directory, "seed", rolls=ROLLS, lives=LIVES, make=lambda _kid, secret: secret)


def call_seed(k_seed: bytes, call_uuid: str) -> bytes:
    """16 bytes that stand for this call; once `k_seed` is gone, nothing joins them to the carrier's record of it."""
    return derive(k_seed, call_uuid.encode(), purpose="call seed", size=SEED_SIZE)


def derive_id(seed: bytes, kind: str, *, visit: int) -> bytes:
    """16 bytes: the id of the `visit`-th (from 1) thing of this kind that a call makes."""
    return derive(seed, _nth(kind, visit), purpose="id", size=ID_SIZE)


def addition_id(seed: bytes, form: str, slow_hash: bytes, *, visit: int) -> bytes:
    """16 bytes: the id of what a call adds, in its `visit`-th pass (from 1), to the report with this receipt."""
    return derive_id(seed, f"addition {form} {slow_hash.hex()}", visit=visit)


def receipt_code(seed: bytes, form: str, *, visit: int) -> str:
    """Twelve decimal digits, leading zeros kept: the receipt of the `visit`-th pass (from 1) through a form."""
    drawn = int.from_bytes(derive(seed, _nth(form, visit), purpose="receipt code"))
    return f"{drawn % 10**DIGITS:0{DIGITS}}"


def slow(code: str, *, site_salt: bytes) -> bytes:
    """32 bytes by Argon2id (2 passes, 16 MiB, 16-byte salt): about 16 ms of a core, so off the event loop."""
    return pwhash.argon2id.kdf(32, code.encode(), site_salt, opslimit=SLOW_PASSES, memlimit=SLOW_MEMORY)


def tag(k_receipt: bytes, slow_hash: bytes) -> bytes:
    """16 bytes: how a report's row answers to its receipt for as long as its epoch's `k_receipt` exists."""
    return derive(k_receipt, slow_hash, purpose="receipt tag", size=TAG_SIZE)


def handle(slow_hash: bytes) -> bytes:
    """16 bytes: the name, inside the seal, of what is later derived from a report; found again by its receipt only."""
    return digest(slow_hash, purpose="handle", size=HANDLE_SIZE)


def lock_name(slow_hash: bytes) -> bytes:
    """8 bytes: what whoever changes what a receipt opens holds meanwhile, so that nobody else does."""
    return digest(slow_hash, purpose="receipt lock", size=LOCK_SIZE)


def random_handle() -> bytes:
    """The handle of a report without a receipt: nobody can ever come back to it."""
    return random(HANDLE_SIZE)


def _nth(kind: str, visit: int) -> bytes:
    return visit.to_bytes(4) + kind.encode()
