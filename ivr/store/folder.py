"""A folder whose files are replaced whole or not at all, and whose times tell no more than the day.
Whatever happens in between, the former files stay as they were; drafts that a process died over go at the next use."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path

from nacl.utils import random

_DRAFT = re.compile(r"\..+\.new-[0-9a-f]{16}")


class FolderBusy(Exception):
    """Somebody else is writing into it."""


class Folder:
    """One directory. Every method raises OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """The folder, made if need be, for one process alone, without drafts before and after. Raises FolderBusy."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock(descriptor)
            self._clear()
            try:
                yield
            finally:
                self._clear()
        finally:
            os.close(descriptor)

    def names(self) -> list[str]:
        """Its files, sorted; no folders and no links."""
        return sorted(path.name for path in self.path.iterdir() if path.is_file() and not path.is_symlink())

    def draft(self, name: str) -> Path:
        """An empty file for its owner's eyes only, which `publish` makes `name`."""
        path = self.path / f".{name}.new-{random(8).hex()}"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return path

    def finish(self, draft: Path, *, day: date) -> None:
        """Bring a draft onto the disk. Its times are the beginning of the day, UTC."""
        midnight = datetime.combine(day, time(), UTC).timestamp()
        os.utime(draft, (midnight, midnight))
        self.sync(draft)

    def publish(self, draft: Path, name: str) -> None:
        """Put a finished draft in the place of a file, for good: the next one comes onto the disk after it."""
        self.rename(draft, self.path / name)
        self.sync(self.path)

    def rename(self, draft: Path, to: Path) -> None:
        """In one step: there is always one of the two."""
        draft.replace(to)

    def sync(self, path: Path) -> None:
        """Wait until a file, or the names in a directory, are on the disk."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def _clear(self) -> None:
        for name in self.names():
            if _DRAFT.fullmatch(name):
                self.remove(name)


def _lock(descriptor: int) -> None:
    """Until the descriptor is closed, or its process dies."""
    import fcntl  # POSIX only, as this module is; whoever does not use it can do without

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FolderBusy from error
    except OSError:
        pass  # no locks on this file system: the names of drafts are random, so no half-written one is ever published
