"""Bringing a lost line back from the two files of `ivr backup`: into an empty database, in one transaction, so that a
restore that dies half-way leaves an empty one. What comes opens; what was forgotten before the keys were written does
not come back, whichever `data` file it lies in."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from ivr.flow.line import REQUEST
from ivr.kit.told import Told
from ivr.services.archive import DONE
from ivr.services.backup import DATA, KEYS, mark_for
from ivr.services.custody.making import certified_recoveries
from ivr.services.custody.status import Member, members_of
from ivr.services.custody.trust import LineKeysLost, NotSetUp, line_epochs, line_keys_in, signers
from ivr.services.tagged import TAKEN_BACK
from ivr.store import backup_files as files
from ivr.store import organisation as stored_organisation
from ivr.store.backup_files import BackupFile, Counts, FileUnusable
from ivr.store.copying import REVISION
from ivr.store.database import Database, in_memory, upgrade
from ivr.store.live import live
from ivr.store.tables import epochs, metadata, notes, people, reports
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin


class RestoreFailed(Told):
    """Nothing was restored, and nothing was changed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Halves:
    """The two files that a line is brought back from."""

    data: BackupFile
    keys: BackupFile
    is_named: bool
    """Somebody chose the data file: she is told what is lost by it, and not refused."""

    @property
    def data_day(self) -> date | None:
        found = DATA.fullmatch(self.data.path.name)
        return self.data.day or (date.fromisoformat(found[1]) if found else None)

    @property
    def are_keys_older(self) -> bool:
        """Reports were saved, and others withdrawn, after these keys were written."""
        if self.keys.revision < self.data.revision:
            return True
        return self.keys.day is not None and self.data_day is not None and self.keys.day < self.data_day

    @property
    def is_data_older(self) -> bool:
        """As usual where it is not the newest: what was forgotten since stays so."""
        return self.keys.day is not None and self.data_day is not None and self.data_day < self.keys.day


@dataclass(frozen=True, slots=True)
class Restored:
    """What came, or would: no day of any report, only the months that they are sealed to."""

    halves: Halves
    reports: Mapping[str, int]
    """Month (YYYY-MM) -> reports that an advocate or two shares open."""
    requests: int
    withdrawn: int
    """Traces of reports that were taken back, and of requests that were done."""
    notes: int
    left: Counts
    members: tuple[Member, ...]
    """Those who have keys; none where the pin is not known."""
    answering: int
    months: tuple[str, ...]
    has_recovery: bool
    """Whether the shares that were printed last belong to what came."""
    is_pinned: bool
    """Whether it was compared with the organisation's key."""
    line: str
    """Why the line cannot work with what came and this secret; empty: it can."""


def find(folder: Path, name: str | None = None) -> Halves:
    """The newest data file, or the named one, with the keys beside it, each whole and of one line. Raises
    RestoreFailed."""
    try:
        names = sorted(path.name for path in folder.iterdir() if DATA.fullmatch(path.name))
    except OSError as error:
        raise RestoreFailed(f"{folder} cannot be read ({error.strerror}): name the folder of `ivr backup`") from error
    _require_both(folder, names, name)
    data = _looked_at(folder / (name or names[-1]), "data", others=names)
    halves = Halves(data, _looked_at(folder / KEYS, "keys", others=names), is_named=name is not None)
    _require_one_line(halves, names)
    return halves


async def restore(database: Database, halves: Halves, *, pin: Pin | None, host: HostKey | None) -> Restored:
    """Everything that belongs together of the two halves, into an empty database, brought up to date.

    `pin` and `host`, where they are known: the first must be theirs, and with the second it is told whether the line
    can work. Raises RestoreFailed, StoreUnavailable; then the database is as it was.
    """
    _require_pinned(halves, pin)
    return await database.furnish(lambda connection: _restored(connection, halves, pin, host))


async def try_out(database: Database | None, halves: Halves, *, pin: Pin | None, host: HostKey | None) -> Restored:
    """What `restore` would do, in memory. `database`: to be looked at, where there is one. Raises as `restore`."""
    _require_pinned(halves, pin)
    if database is not None:
        await database.read(_require_empty)
    return in_memory(lambda connection: _restored(connection, halves, pin, host))


def _restored(connection: Connection, halves: Halves, pin: Pin | None, host: HostKey | None) -> Restored:
    _require_empty(connection)
    metadata.drop_all(connection)
    REVISION.drop(connection, checkfirst=True)
    data, keys = halves.data, halves.keys
    # Contributions of reports that were withdrawn since would come back with older keys.
    left_out = {"contributions"} if halves.are_keys_older else set()
    with files.together(data, keys) as reading, _misfits_named():
        upgrade(connection, str(data.revision))
        files.load(reading, "data", sorted(data.tables - keys.tables), connection)
        if keys.revision > data.revision:
            upgrade(connection, str(keys.revision))
        files.load(reading, "keys", sorted(keys.tables - left_out), connection)
        left = files.counts(reading)
    upgrade(connection)
    return _told(connection, halves, left, pin, host)


def _told(connection: Connection, halves: Halves, left: Counts, pin: Pin | None, host: HostKey | None) -> Restored:
    rows = connection.execute(select(reports.c.epoch, reports.c.state, reports.c.consent)).all()
    living = [row for row in rows if row.state not in (TAKEN_BACK, DONE)]
    if pin is not None:
        try:
            signers(connection, pin)
        except NotSetUp as error:
            raise RestoreFailed(str(error)) from error
    return Restored(
        halves,
        reports=dict(sorted(Counter(row.epoch for row in living if row.consent != REQUEST).items())),
        requests=sum(row.consent == REQUEST for row in living),
        withdrawn=len(rows) - len(living),
        notes=len(connection.execute(select(notes.c.id)).all()),
        left=left,
        members=() if pin is None else members_of(connection, pin),
        answering=len(connection.execute(select(people.c.id)).all()),
        months=tuple(connection.execute(select(epochs.c.id).order_by(epochs.c.id)).scalars()),
        has_recovery=pin is None or _has_recovery(connection, pin),
        is_pinned=pin is not None,
        line="" if pin is None or host is None else _trouble_of_line(connection, pin, host),
    )


def _has_recovery(connection: Connection, pin: Pin) -> bool:
    """Whether the recovery key that the data half names is the one that the keys half is wrapped to."""
    known = certified_recoveries(connection, pin)
    return any(stored_organisation.wrap_for(connection, row.id) is not None for row in known)


def _trouble_of_line(connection: Connection, pin: Pin, host: HostKey) -> str:
    try:
        usable = line_epochs(connection, line_keys_in(connection, host, pin), pin)
    except (NotSetUp, LineKeysLost) as error:
        return str(error)
    return "" if usable else "the line opens none of its months: a lead gives it new keys with `ivr keys roll`"


def _require_empty(connection: Connection) -> None:
    prepare = connection.dialect.identifier_preparer.quote
    for name in sorted({*inspect(connection).get_table_names()} - {REVISION.name, *live.tables}):
        if connection.execute(text(f"SELECT 1 FROM {prepare(name)} LIMIT 1")).first():  # noqa: S608 a table's name
            raise RestoreFailed(
                f"there is something in this database already (in the table {name}), and nothing is ever put over it: "
                "name an empty one with IVR_DATA_DIR or IVR_DATABASE_URL, or move this one away first"
            )


def _require_both(folder: Path, names: list[str], name: str | None) -> None:
    if name is not None and name not in names:
        there = f"there are {', '.join(names)}" if names else "there is none"
        raise RestoreFailed(f"{folder} has no data file {name}: {there}")
    if not names:
        raise RestoreFailed(
            f"{folder} has no file data-YYYY-MM-DD.db, in which the reports are: name the folder that `ivr backup` "
            "wrote into, or copy one into it"
        )
    if not (folder / KEYS).is_file():
        raise RestoreFailed(
            f"{folder / KEYS} is missing, and without it {name or names[-1]} opens nothing: copy the newest one there "
            "is beside it"
        )


def _looked_at(path: Path, half: str, *, others: list[str]) -> BackupFile:
    try:
        return files.look(path, half)
    except OSError as error:
        raise RestoreFailed(f"{path} cannot be read ({error.strerror}): give it to this user") from error
    except FileUnusable as unusable:
        raise RestoreFailed(f"{unusable}: {_cure_for(unusable, half, others)}") from unusable


def _cure_for(unusable: FileUnusable, half: str, others: list[str]) -> str:
    if not unusable.is_damaged and "newer version" in unusable.why:
        return "use that version"
    if half == "keys":
        return "put another copy of the newest keys.db in its place. Without one no report opens"
    older = [name for name in others if name != unusable.path.name]
    return f"put another copy of it in its place{f', or name another one: --data {older[-1]}' if older else ''}"


def _require_one_line(halves: Halves, names: list[str]) -> None:
    data, keys = halves.data, halves.keys
    if data.mark != keys.mark:
        raise RestoreFailed(
            f"{data.path.name} and {keys.path.name} are of two different organisations, and open nothing together: put "
            "the keys.db beside it that was written by the same line"
        )
    if not halves.are_keys_older or (halves.is_named and keys.revision >= data.revision):
        return
    fitting = [name for name in names if keys.day is None or DATA.fullmatch(name)[1] <= keys.day.isoformat()]  # type: ignore[index]  # they all match
    older = f"name one that is no newer: --data {fitting[-1]}" if fitting else ""
    lossy = f"restore without what is newer: --data {data.path.name}" if keys.revision >= data.revision else ""
    raise RestoreFailed(
        f"{keys.path.name} is older than {data.path.name}, and opens nothing that was saved in between: put the newest "
        f"keys.db there is beside it{''.join(f', or {way}' for way in (older, lossy) if way)}"
    )


def _require_pinned(halves: Halves, pin: Pin | None) -> None:
    if pin is not None and mark_for(pin) != halves.data.mark:
        raise RestoreFailed(
            "this is the backup of another organisation than IVR_ORGANISATION_KEY names (or the file organisation-key "
            "in the data folder): set that one's, or name another folder"
        )


@contextmanager
def _misfits_named() -> Iterator[None]:
    """Rows that the tables do not take, or that are no rows: another hand was in the file."""
    try:
        yield
    except (sqlite3.Error, StatementError) as error:
        if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError):
            raise  # it is the database that fails, not the row
        raise RestoreFailed(
            "a row of this backup does not fit into the tables: somebody altered it. Use another copy of it"
        ) from error
