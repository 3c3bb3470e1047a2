"""An epoch: the key pair that a month's reports are sealed to, and the key of their receipt tags.
The private half is made, wrapped to each advocate and forgotten; the line keeps the public half."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.utils import random

from ivr.vault.host import HostKey

AHEAD = 3
"""Epochs kept made before their month begins."""


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """An epoch as it is made. `id` is a month, YYYY-MM; the private key is never stored as it is."""

    id: str
    public_key: bytes
    receipt_key: bytes
    """K_receipt of this epoch, sealed under the host's key."""
    private_key: bytes = field(repr=False)


def make(epoch: str, host: HostKey) -> NewEpoch:
    """A key pair (X25519) and a K_receipt for a month."""
    private = PrivateKey.generate()
    public = bytes(private.public_key)
    receipt_key = host.seal(random(32), purpose=_purpose(epoch, public))
    return NewEpoch(id=epoch, public_key=public, receipt_key=receipt_key, private_key=bytes(private))


def open_receipt_key(sealed: bytes, host: HostKey, *, epoch: str, public_key: bytes) -> bytes:
    """K_receipt, 32 bytes. Raises WrongSecret, also when the epoch's public key is not the one it was made with.

    So whoever can write to the database alone cannot have the line seal reports to a key of theirs.
    """
    return host.open(sealed, purpose=_purpose(epoch, public_key))


def wrap(private_key: bytes, *, advocate: bytes) -> bytes:
    """An epoch's private key, sealed (80 bytes) to the public key of an advocate."""
    return SealedBox(PublicKey(advocate)).encrypt(private_key)


def unwrap(wrapped: bytes, *, advocate: bytes) -> bytes | None:
    """An epoch's private key, by the private key of the advocate it was wrapped to; None for anything else."""
    try:
        return SealedBox(PrivateKey(advocate)).decrypt(wrapped)
    except (CryptoError, ValueError):
        return None


def due(today: date) -> tuple[str, ...]:
    """The epochs that should exist: this month's and three ahead."""
    months = today.year * 12 + today.month - 1
    return tuple(f"{month // 12:04}-{month % 12 + 1:02}" for month in range(months, months + AHEAD + 1))


def taking(day: date) -> str:
    """The epoch that takes a report of this day: that of the Monday of its week.

    Not of the day itself: where a month begins within a week, epoch and week together would tell the day.
    """
    return f"{day - timedelta(days=day.weekday()):%Y-%m}"


def _purpose(epoch: str, public_key: bytes) -> bytes:
    return b"receipt key" + public_key + epoch.encode()
