"""A backup: two files of one moment, while the line serves. `data` for 30 days; `keys`, which opens what is in it, only
as the newest copy, so that what was withdrawn or has expired opens nowhere. Never IVR_SECRET, never the spool."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from pathlib import Path

from sqlalchemy import Connection, Table

from ivr.kit.clock import Clock
from ivr.kit.told import Told
from ivr.services.custody.trust import signers
from ivr.store.copying import CopyFailed, copy, mark_of
from ivr.store.database import Database
from ivr.store.folder import Folder, FolderBusy
from ivr.store.tables import metadata, report_keys
from ivr.vault.organisation import Pin

KEPT_DAYS = 30
"""A data file goes when it is this old: so many of them are there at most."""

REGULAR_DAYS = 7

KEYS = "keys.db"
DATA = re.compile(r"data-(\d{4}-\d{2}-\d{2})\.db")


class BackupFailed(Told):
    """Nothing was replaced by anything less than whole; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a backup wrote. `reports`: those that can be opened with it."""

    data: str
    keys: str
    reports: int
    removed: Sequence[str]
    """Older data files that are gone now."""


@dataclass(frozen=True, slots=True)
class Backup:
    """The backups of one line. Its days are those of UTC: it must work without a flow, which knows the line's zone."""

    database: Database
    pin: Pin
    clock: Clock

    async def into(self, folder: Folder) -> Written:
        """Write today's, in the place of an earlier one of today, and remove what is too old.

        Bring home what waits in the spool before. Raises BackupFailed, NotSetUp, StoreUnavailable.
        """
        day = self.clock.now().astimezone(UTC).date()
        with _failures_named(folder.path), folder.claimed():
            _require_own(folder, mark_for(self.pin))
            data, keys = folder.draft(_name(day)), folder.draft(KEYS)
            counts = await self.database.read(lambda found: _copy(found, self.pin, data, keys, day=day), snapshot=True)
            for draft in (data, keys):
                folder.finish(draft, day=day)
            # Keys first. If only one of the two is replaced, it must not be the data: older keys still open what was
            # withdrawn since, in the data files of the days before.
            folder.publish(keys, KEYS)
            folder.publish(data, _name(day))
            return Written(_name(day), KEYS, counts[report_keys.name], _prune(folder, day))


def tables_of(file: str) -> list[Table]:
    """What goes into a file: `data` or `keys`."""
    return [table for table in metadata.sorted_tables if table.info["backup"] == file]


def _copy(connection: Connection, pin: Pin, data: Path, keys: Path, *, day: date) -> Mapping[str, int]:
    signers(connection, pin)  # an empty or planted database has none: it must not take the place of a good backup
    counts: dict[str, int] = {}
    for name, file in (("data", data), ("keys", keys)):
        counts |= copy(connection, tables_of(name), file, mark=mark_for(pin), day=day)
    return counts


def mark_for(pin: Pin) -> int:
    """By which a file says whose it is: the beginning of the organisation's public key, 31 bits."""
    return int.from_bytes(pin[:4]) >> 1


def _require_own(folder: Folder, mark: int) -> None:
    """A line that was set up anew must not replace the only copy of the keys of the one before."""
    if KEYS in folder.names() and mark_of(folder.path / KEYS) != mark:
        raise BackupFailed(
            f"{folder.path / KEYS} is not a backup of this organisation's: name another folder. "
            "If that file is the backup of a line that you have lost, keep it: nothing else opens its reports"
        )


def _prune(folder: Folder, today: date) -> Sequence[str]:
    """What is too old goes, and what a clock that was ahead dated in days to come. Nothing, where no backup was made in
    the week before: then it may be this clock that is wrong, and the next backup, beside this one, tells."""
    days = {name: _day_of(name, today) for name in folder.names()}
    if not any(timedelta() < today - day <= timedelta(days=REGULAR_DAYS) for day in days.values()):
        return ()
    kept = (today - timedelta(days=KEPT_DAYS - 1), today + timedelta(days=1))
    old = [name for name, day in days.items() if not kept[0] <= day <= kept[1]]
    for name in old:
        folder.remove(name)
    return old


def _name(day: date) -> str:
    return f"data-{day.isoformat()}.db"


def _day_of(name: str, today: date) -> date:
    """The day of a data file; today for everything else, which is none of ours."""
    found = DATA.fullmatch(name)
    with suppress(ValueError):
        return date.fromisoformat(found[1]) if found else today
    return today


@contextmanager
def _failures_named(path: Path) -> Iterator[None]:
    try:
        yield
    except FolderBusy as error:
        raise BackupFailed(f"another backup is being written into {path}: wait until it has ended") from error
    except (OSError, CopyFailed) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BackupFailed(
            f"the backup cannot be written into {path} ({reason}): see that this user may write there and that there "
            "is room, or name another folder. The files that are there are whole"
        ) from error
