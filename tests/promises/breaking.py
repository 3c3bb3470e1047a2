"""Breaking reports open with keys that were guessed: what a seizure offers, tried as whatever opens something."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt
from nacl.bindings import crypto_scalarmult_base

from ivr.vault import sealing
from ivr.vault.derivation import derive, digest
from ivr.vault.sealing import Body, Place, Sealed
from ivr.vault.wrapping import unwrap
from tests.promises.seizing import Windows, purposes

START = 8
"""Bytes of a body that its reader can guess: how it is packed, the year and most of the month."""
KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Prize:
    """One sealed report, as it lies in a seized database, and its week."""

    place: Place
    sealed: Sealed
    week: str


@dataclass(frozen=True, slots=True)
class Lock:
    """A public key, and what was wrapped to it: (name, wrapped) of other private keys, none for an epoch."""

    public_key: bytes
    wraps: Sequence[tuple[str, bytes]] = ()


@dataclass
class Attack:
    """Everything that keys are tried on."""

    prizes: Sequence[Prize]
    locks: Sequence[Lock]

    def __post_init__(self) -> None:
        self._locks = {lock.public_key: lock for lock in self.locks}
        self._starts = {(start, prize.sealed.body[:START]): prize for prize in self.prizes for start in starts(prize)}
        self._known_starts = sorted({start for start, _ in self._starts})

    def opened_by(self, keys: Iterable[bytes]) -> set[bytes]:
        """The ids of the reports that these keys open, as they are, or by what they unlock."""
        opened: set[bytes] = set()
        for key in keys:
            opened |= self._with_data_key(key)
            lock = self._locks.get(crypto_scalarmult_base(key))
            if lock is not None:
                opened |= self._with_private_key(key, lock)
        return opened

    def _with_data_key(self, key: bytes) -> set[bytes]:
        """A data key has one nonce for every report: so one look tells whether it opens any of them."""
        stream = int.from_bytes(encrypt(bytes(START), b"", bytes(24), key)[:START])
        for start in self._known_starts:
            prize = self._starts.get((start, (stream ^ int.from_bytes(start)).to_bytes(START)))
            if prize is not None:
                return {prize.place.id}
        return set()

    def _with_private_key(self, key: bytes, lock: Lock) -> set[bytes]:
        inside = [found for _, wrapped in lock.wraps if (found := unwrap(wrapped, by=key)) is not None]
        if inside:
            return self.opened_by(inside)
        return {one.place.id for one in self.prizes if _opened(one, key) is not None}


def _opened(prize: Prize, epoch_key: bytes) -> Body | None:
    return sealing.open_body(prize.sealed, prize.place, epoch_key=epoch_key)


def starts(prize: Prize) -> set[bytes]:
    """How the body of a report may begin: as any is packed, with a day of its week; or, if it was added to another,
    with a day while that one was kept."""
    monday = date.fromisocalendar(int(prize.week[:4]), int(prize.week[-2:]), 1)
    days = ((monday + timedelta(days=n)).isoformat() for n in range(KEPT_DAYS))
    return {msgspec.msgpack.encode(Body(day, b"", ()))[:START] for day in days}


def broken_by(attack: Attack, windows: Windows, *, derived: int) -> set[bytes]:
    """What these windows open as they are, and the first so many of them by every key that is derived from them."""
    content = windows.tobytes()
    every = [content[at : at + 32] for at in range(0, len(content), 32)]
    parts = [every[n::_THREADS] for n in range(_THREADS)]
    parts += [list(_derived(every[n:derived:_THREADS])) for n in range(_THREADS)]
    with ThreadPoolExecutor(_THREADS) as threads:
        return set[bytes]().union(*threads.map(attack.opened_by, parts))


_THREADS = os.cpu_count() or 1


def _derived(keys: Iterable[bytes]) -> Iterator[bytes]:
    for key in keys:
        for purpose in purposes():
            yield derive(key, b"", purpose=purpose)
            yield digest(key, purpose=purpose)
