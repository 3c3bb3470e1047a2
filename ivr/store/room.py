"""How much of its folder the file of live rows may take, with its write-ahead log. The folder may be small, and others
may write into it: the short-lived keys, and on a shared /run every other program of the host."""

import os
from dataclasses import dataclass
from pathlib import Path

PAGE = 4096
"""Bytes of a page of SQLite's."""
MOST_BYTES = 32 * 1024 * 1024
"""However large the folder is: thousands of conversations fit."""
PAGES_A_PIECE = 5
"""Pages that one piece of work writes at most, as a rule: a row, its index, the list of free pages."""
FEWEST_PAGES = 16
MOST_PAGES = 256
"""Of the log, after which it is emptied; and pieces of one commit."""


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes for the rows, and for the log that they are written to first."""

    rows: int
    log: int

    @classmethod
    def beside(cls, file: Path) -> "Room":
        """Three quarters of what is free, or the file's already. Raises OSError."""
        found = os.statvfs(file.parent)
        ours = sum(one.stat().st_size for one in (file, file.with_name(f"{file.name}-wal")) if one.exists())
        whole = min(MOST_BYTES, (found.f_bavail * found.f_frsize + ours) * 3 // 4)
        return cls(rows=whole * 3 // 4, log=whole // 4)

    @property
    def pieces_at_once(self) -> int:
        """Of one commit: all that it writes must fit into the log, behind what is there already."""
        return min(MOST_PAGES, max(1, self.log // PAGE // (PAGES_A_PIECE + 1)))

    def pragmas(self) -> tuple[str, ...]:
        """What keeps a connection that writes within it."""
        emptied_at = min(MOST_PAGES, max(FEWEST_PAGES, self.pieces_at_once))
        return (
            f"PRAGMA max_page_count={max(FEWEST_PAGES, self.rows // PAGE)}",
            f"PRAGMA wal_autocheckpoint={emptied_at}",
            f"PRAGMA journal_size_limit={emptied_at * PAGE}",
            # No commit waits for the disk: what a power failure takes here belongs to calls that it has ended.
            "PRAGMA synchronous=NORMAL",
        )
