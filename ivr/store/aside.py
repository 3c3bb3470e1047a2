"""A SQLite file that is not whole, put out of the way: kept for whoever can save something of it, never deleted."""

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

from ivr.store.failures import Reason, reason_of
from ivr.store.folder import Folder

LOG = ("-wal", "-shm")


def set_aside(file: Path) -> Path | None:
    """Rename a file that SQLite says is not whole, and its log; its new name. None for any other, which stays.

    Looked at once more, alone: another process may have set it aside meanwhile. Raises OSError, FolderBusy.
    """
    folder = Folder(file.parent)
    with folder.claimed():
        if not _is_damaged(file):
            return None
        is_taken = tuple(folder.names())
        names = (f"{file.name}.damaged-{n}" for n in count(1))
        aside = next(name for name in names if not any(other.startswith(name) for other in is_taken))
        for suffix in (*LOG, ""):  # the log first: a new file of this name would take it for its own
            if (old := file.with_name(file.name + suffix)).exists():
                folder.rename(old, file.with_name(aside + suffix))
        folder.sync(file.parent)
        return file.with_name(aside)


def _is_damaged(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as looking:
            found: object = looking.execute("PRAGMA quick_check(1)").fetchone()
            return found != ("ok",)
    except sqlite3.Error as error:
        return reason_of(error) is Reason.DAMAGED
