"""Short-lived keys on a host's own disk (tmpfs in production), shared by its workers and never backed up.
Time is cut into aligned periods; the key of a period is random and named by its number, the `kid`.
Knows no machine clock: every moment is an argument, and the times of files mean nothing."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from nacl.utils import random

KEY_SIZE = 32
SET_BACK_SECONDS = 3600
"""How far a clock may be set back, beyond a key's life, before keys of the time to come are taken for mistakes."""

SPARES = 2
"""Files without a key that each ring holds ready: a key that finds the disk full is written into one of them."""
FULL = (errno.ENOSPC, errno.EDQUOT)

K = TypeVar("K")


class KeysUnavailable(Exception):
    """The directory of short-lived keys cannot be used; the message says what to do."""


class KeysFull(KeysUnavailable):
    """There is no room for a key, and no spare file is left. It passes once there is room again."""


class KeyRing(Generic[K]):
    """The living keys of one kind: one for each period of `rolls`, destroyed when its period began `lives` ago.

    `make` turns a period's number and its 32 random bytes into what callers use; only that stays in memory. Workers
    with one directory agree on every key, whoever needs it first. A known key costs no disk.

    A full disk stops no ring that was prepared once: the key of the next period is there already, and the file of a
    key that is destroyed is wiped and becomes the spare file of a later one.
    """

    def __init__(
        self,
        directory: Path,
        kind: str,
        *,
        rolls: timedelta,
        lives: timedelta,
        make: Callable[[int, bytes], K],
    ) -> None:
        if not timedelta() < rolls <= lives:
            raise ValueError("a key must live at least as long as its period: make lives >= rolls > 0")
        self._directory = directory
        self._kind = kind
        self._rolls = rolls.total_seconds()
        self._lives = lives.total_seconds()
        self._make = make
        self._keys: dict[int, K] = {}

    def current(self, now: datetime) -> K:
        """The key of the period that `now` is in, made if nobody has yet. Raises KeysUnavailable."""
        kid = int(now.timestamp() // self._rolls)
        key = self._keys.get(kid)
        if key is not None:
            return key
        self.sweep(now)
        with self._usable():
            secret = self._read(kid) or self._create(kid)
        return self._remember(kid, secret)

    def get(self, kid: int, *, now: datetime) -> K | None:
        """The key of a period, or None: destroyed, not yet begun or never needed. Never makes one."""
        if not self._is_alive(kid, now):
            return None
        key = self._keys.get(kid)
        if key is not None:
            return key
        with self._usable():
            secret = self._read(kid)
        return None if secret is None else self._remember(kid, secret)

    def at(self, moment: datetime, *, now: datetime) -> K:
        """The key of the period that `moment` was in, if it was needed then and still lives; else the current one."""
        return self.get(int(moment.timestamp() // self._rolls), now=now) or self.current(now)

    def living(self, now: datetime) -> Iterator[K]:
        """Every key that exists and is not yet to be destroyed, the current one first. Makes none."""
        newest = int(now.timestamp() // self._rolls)
        oldest = int((now.timestamp() - self._lives) // self._rolls) + 1
        for kid in range(newest, oldest - 1, -1):
            key = self.get(kid, now=now)
            if key is not None:
                yield key

    def prepare(self, now: datetime) -> None:
        """Sweep; then make the key of this period, the key of the next one, and the spare files. Call it every minute.
        Nothing is sealed under the next key before its period begins. Raises KeysUnavailable."""
        self.sweep(now)
        kid = int(now.timestamp() // self._rolls)
        with self._usable():
            for one in (kid, kid + 1):
                if self._read(one) is None:
                    self._create(one)
            self._keep_spares()

    def sweep(self, now: datetime) -> None:
        """Destroy what is too old, in memory and on disk. Every roll does it; call it also when no calls come."""
        for kid in [kid for kid in self._keys if self._is_out_of_time(kid, now)]:
            del self._keys[kid]
        if not self._directory.is_dir():
            return
        with self._usable():
            for path in self._directory.iterdir():
                kid_of_file = self._kid_of(path)
                if kid_of_file is not None and self._is_out_of_time(kid_of_file, now):
                    self._destroy(path)

    def try_out(self, now: datetime) -> None:
        """Write as much as a new key, under a name that is swept if nobody else removes it, and remove it. Raises
        KeysUnavailable."""
        draft = self._directory / f"{self._kind}.{int(now.timestamp() // self._rolls)}.new-{random(8).hex()}"
        with self._usable():
            try:
                self._write_new(draft, random(KEY_SIZE))
            finally:
                draft.unlink(missing_ok=True)

    def _is_out_of_time(self, kid: int, now: datetime) -> bool:
        """Too old; or so far ahead that a clock which was wrong made it: nobody else would ever destroy that one. Not
        what is only a little ahead: a clock that is set back by minutes ends no call."""
        begins, at = kid * self._rolls, now.timestamp()
        return at >= begins + self._lives or at < begins - self._lives - SET_BACK_SECONDS

    def _is_alive(self, kid: int, now: datetime) -> bool:
        return kid * self._rolls <= now.timestamp() < kid * self._rolls + self._lives

    def _path(self, kid: int) -> Path:
        return self._directory / f"{self._kind}.{kid}"

    def _kid_of(self, path: Path) -> int | None:
        """`kind.number`, or `kind.number.new-...` that a worker died over."""
        kind, _, rest = path.name.partition(".")
        number = rest.partition(".")[0]
        return int(number) if kind == self._kind and number.isdecimal() else None

    def _remember(self, kid: int, secret: bytes) -> K:
        return self._keys.setdefault(kid, self._make(kid, secret))

    def _read(self, kid: int) -> bytes | None:
        try:
            secret = self._path(kid).read_bytes()
        except FileNotFoundError:
            return None
        if secret == bytes(KEY_SIZE):  # another worker is destroying it
            return None
        if len(secret) != KEY_SIZE:
            raise KeysUnavailable(f"{self._path(kid)} is damaged: stop the line, delete that file, start it again")
        return secret

    def _create(self, kid: int) -> bytes:
        """Link a finished file into place: the first worker's stands, and nobody ever reads half a key."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)
        draft = self._directory / f"{self._kind}.{kid}.new-{random(8).hex()}"
        secret = random(KEY_SIZE)
        try:
            self._write(draft, secret)
            os.link(draft, self._path(kid))
        except FileExistsError:
            self._destroy(draft)
            return self._read(kid) or secret
        finally:
            draft.unlink(missing_ok=True)
        return secret

    def _write(self, draft: Path, secret: bytes) -> None:
        try:
            return self._write_new(draft, secret)
        except OSError as error:
            if error.errno not in FULL:
                raise
            draft.unlink(missing_ok=True)
            for spare in self._spares():
                with contextlib.suppress(FileNotFoundError):  # another worker has taken it
                    spare.rename(draft)
                    return _overwrite(draft, secret)
            raise

    def _write_new(self, path: Path, content: bytes) -> None:
        """A file that only this user may read."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)

    def _destroy(self, path: Path) -> None:
        """Wiped before its name changes: whoever dies in between leaves a key that is none. No unlink first: the room
        would be anybody's."""
        with contextlib.suppress(FileNotFoundError):  # another worker was faster
            is_whole = path.stat().st_size == KEY_SIZE
            if is_whole:
                _overwrite(path, bytes(KEY_SIZE))
            if is_whole and len(self._spares()) < SPARES:
                path.rename(self._spare())
            else:
                path.unlink()

    def _keep_spares(self) -> None:
        while len(self._spares()) < SPARES:
            spare = self._spare()
            try:
                self._write_new(spare, bytes(KEY_SIZE))
            except OSError as error:
                spare.unlink(missing_ok=True)
                if error.errno in FULL and self._spares():
                    return  # the next key that is destroyed leaves one more
                raise

    def _spare(self) -> Path:
        return self._directory / f"{self._kind}.spare-{random(8).hex()}"

    def _spares(self) -> list[Path]:
        return list(self._directory.glob(f"{self._kind}.spare-*"))

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in FULL:
                raise KeysFull(
                    f"there is no room for keys in {self._directory} (IVR_RUN_DIR): free some, the line needs 32 MB"
                ) from error
            raise KeysUnavailable(
                f"cannot keep keys in {self._directory} ({error.strerror}): "
                "point IVR_RUN_DIR at a directory of this user's own, tmpfs if there is one"
            ) from error


AnyKeyRing = KeyRing[Any]
"""Of keys of whatever type: for whoever only keeps them."""


def _overwrite(path: Path, content: bytes) -> None:
    """In the room that the file has already."""
    with path.open("r+b") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
