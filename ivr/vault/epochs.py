"""An epoch: the key pair that a month's reports are sealed to, and the key of their receipt tags.
A lead makes it; its private half is wrapped to each reader and forgotten; the line is given K_receipt only."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from nacl.public import PrivateKey

from ivr.vault.derivation import derive, digest
from ivr.vault.organisation import Claim

AHEAD = 3
"""Epochs kept made before their month begins."""


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """An epoch as it is made. `id` is a month, YYYY-MM; the private key is never stored as it is."""

    id: str
    public_key: bytes
    private_key: bytes = field(repr=False)


def make(epoch: str) -> NewEpoch:
    """A key pair (X25519) for a month."""
    private = PrivateKey.generate()
    return NewEpoch(id=epoch, public_key=bytes(private.public_key), private_key=bytes(private))


def is_pair(private_key: bytes, public_key: bytes) -> bool:
    """Whether these are the two halves of one key. Either may be anything."""
    return len(private_key) == PrivateKey.SIZE and bytes(PrivateKey(private_key).public_key) == public_key


def receipt_key(private_key: bytes) -> bytes:
    """K_receipt, 32 bytes: derived, so that it dies with its epoch and a lead can give it to a new host."""
    return derive(private_key, b"", purpose="receipt key")


def claim(epoch: str, *, public_key: bytes, k_receipt: bytes) -> Claim:
    """What an epoch's certificate is about: neither its key nor its K_receipt can be exchanged for another."""
    return ("epoch", epoch, public_key, digest(k_receipt, purpose="receipt check"))


def due(today: date) -> tuple[str, ...]:
    """The epochs that should exist: the one that takes reports today, and three ahead."""
    year, month = map(int, taking(today).split("-"))
    first = year * 12 + month - 1
    return tuple(f"{month // 12:04}-{month % 12 + 1:02}" for month in range(first, first + AHEAD + 1))


def taking(day: date) -> str:
    """The epoch that takes a report of this day: that of the Monday of its week.

    Not of the day itself: where a month begins within a week, epoch and week together would tell the day.
    """
    return f"{day - timedelta(days=day.weekday()):%Y-%m}"
