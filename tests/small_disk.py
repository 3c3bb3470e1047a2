"""A disk that can be full: a tmpfs of its own, where this machine lets one be mounted; else a folder that acts like one
towards the databases and key rings of a line."""

import errno
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from ivr.app import Rings
from ivr.store.database import LOCK_SECONDS, Database, StoreUnavailable
from ivr.vault import conversations, receipts, tokens
from ivr.vault.keyring import KeyRing
from ivr.vault.tokens import TokenKey

MEGABYTE = 1024 * 1024
T = TypeVar("T")


@dataclass
class SmallDisk:
    """`is_mounted`: what is written really finds no room."""

    path: Path
    is_mounted: bool
    is_full: bool = False

    def fill(self) -> None:
        """Something else takes all the room that is left."""
        self.is_full = True
        if self.is_mounted:
            with (self.path / "filler").open("ab", buffering=0) as filler, suppress(OSError):
                while True:
                    filler.write(bytes(4096))

    def make_room(self) -> None:
        self.is_full = False
        (self.path / "filler").unlink(missing_ok=True)

    def database_of(self, url: str) -> Database:
        """As `house` takes it."""
        is_here = str(self.path) in url and not self.is_mounted
        return Cramped(url, self) if is_here else Database(url)

    def rings(self, folder: Path) -> Rings:
        """As `build` takes them."""
        if self.is_mounted or self.path not in (folder, *folder.parents):
            return Rings.of(folder)

        def ring(kind: str, room: Any, make: Callable[[int, bytes], Any]) -> Any:  # Any: a module; a ring of any kind
            return CrampedRing(folder, kind, self, rolls=room.ROLLS, lives=room.LIVES, make=make)

        def same(_kid: int, secret: bytes) -> bytes:
            return secret

        seeds, texts = ring("seed", receipts, same), ring("text", conversations, same)
        return Rings(seeds, ring("token", tokens, TokenKey.of), texts)


class Cramped(Database):
    """A database on a disk that only acts like one."""

    def __init__(self, url: str, disk: SmallDisk) -> None:
        super().__init__(url)
        self._disk = disk

    async def write(self, work: Callable[[Connection], T]) -> T:
        self._needs_room()
        return await super().write(work)

    async def alone(self, work: Callable[[Connection], T], *, wait_seconds: float = LOCK_SECONDS) -> T:
        self._needs_room()
        return await super().alone(work, wait_seconds=wait_seconds)

    def _needs_room(self) -> None:
        if self._disk.is_full:
            raise StoreUnavailable("database or disk is full")


class CrampedRing(KeyRing[Any]):
    """A ring on a disk that only acts like one: what is there may be written over, and nothing else be made."""

    def __init__(self, directory: Path, kind: str, disk: SmallDisk, **how: Any) -> None:
        super().__init__(directory, kind, **how)
        self._disk = disk

    def _write_new(self, path: Path, content: bytes) -> None:
        if self._disk.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super()._write_new(path, content)


@contextmanager
def small_disk(path: Path, *, megabytes: int, mounted: bool = True) -> Iterator[SmallDisk]:
    """A new one at this path."""
    path.mkdir(parents=True, exist_ok=True)
    mounted = mounted and _command("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", path)
    try:
        yield SmallDisk(path, mounted)
    finally:
        if mounted:
            _command("umount", "--lazy", path)


def _command(*words: object) -> bool:
    with suppress(OSError):  # there is no such command here
        return subprocess.run([str(word) for word in words], capture_output=True, check=False).returncode == 0
    return False
