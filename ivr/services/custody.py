"""Who holds which key: setting a line up, and an advocate unlocking what she may read.
The line's process uses none of an advocate's private keys; they exist here only between passphrase and reading."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from ivr.store import advocates as stored_advocates
from ivr.store import epochs as stored_epochs
from ivr.store import facts, line_keys
from ivr.store.advocates import AdvocateRow
from ivr.store.database import Database
from ivr.store.epochs import EpochRow
from ivr.store.line_keys import LineKeyRow
from ivr.vault import advocates, epochs, receipts, signing
from ivr.vault.advocates import MODERATE, Effort, Locked
from ivr.vault.host import HostKey, WrongSecret

SITE_SALT = "site_salt"
DEMO = "demo"
LINE_KEY_PURPOSE = b"line signing key"


class NotSetUp(Exception):
    """This database holds no keys yet: run `ivr init`."""


class UnknownAdvocate(Exception):
    """No advocate of that name, or several and no name; the message lists them."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a line has: its advocates by name, its epochs (YYYY-MM), and which of these `init` made just now."""

    advocates: tuple[str, ...]
    epochs: tuple[str, ...]
    new_advocates: tuple[str, ...]
    new_epochs: tuple[str, ...]
    is_demo: bool


@dataclass(frozen=True, slots=True)
class LineKeys:
    """What the line writes reports with: the key it signs with, all it ever signed with, the receipts' salt."""

    signing_key: bytes = field(repr=False)
    public_keys: Mapping[bytes, bytes]
    """Signer (8 bytes) -> the public half."""
    site_salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unlocked:
    """An advocate with her keys in memory: what she may open."""

    name: str
    epoch_keys: Mapping[str, bytes] = field(repr=False)
    """Epoch (YYYY-MM) -> its private key."""


async def init(
    database: Database,
    *,
    secret: bytes,
    advocate_name: str,
    passphrase: str,
    now: datetime,
    demo: bool,
    effort: Effort = MODERATE,
) -> Inventory:
    """Make what is missing: the line's signing key and salt, the first advocate, this month's epoch and three ahead.

    Run again it changes nothing that exists, adds no second advocate, and makes the epochs that have become due (they
    need nobody's passphrase). `demo` marks new data only. The tables must exist. Raises StoreUnavailable, WrongSecret.
    """
    host = HostKey.of(secret)
    is_new = not await database.read(stored_advocates.all_advocates)
    # Stretching a passphrase takes a second: not while everybody else waits for the database.
    first = await asyncio.to_thread(advocates.enrol, advocate_name, passphrase, effort=effort) if is_new else None

    def make(connection: Connection) -> Inventory:
        known = stored_advocates.all_advocates(connection)
        added = () if known or first is None else (first.name,)
        if added and first is not None:
            _set_up_line(connection, host, demo=demo)
            stored_advocates.add(connection, row_of(first))
        _line_keys(connection, host)
        made = _make_due_epochs(connection, host, now=now)
        return _inventory(connection, new_advocates=added, new_epochs=made)

    return await database.alone(make)


async def inventory(database: Database) -> Inventory:
    """What the line has now. Raises StoreUnavailable."""
    return await database.read(lambda connection: _inventory(connection, new_advocates=(), new_epochs=()))


async def is_demo(database: Database) -> bool:
    """Whether this data was made with a generated passphrase: never for real callers. Raises StoreUnavailable."""
    return await database.read(lambda connection: facts.find(connection, DEMO)) is not None


async def unlock(database: Database, *, passphrase: str, name: str | None = None) -> Unlocked:
    """An advocate's session. Without a name, the only advocate's. Takes as long as her passphrase's effort.

    Raises WrongPassphrase, UnknownAdvocate, NotSetUp, StoreUnavailable.
    """

    def find(connection: Connection) -> tuple[AdvocateRow, dict[str, bytes]]:
        row = _chosen(stored_advocates.all_advocates(connection), name)
        return row, stored_epochs.wraps_for(connection, row.id)

    row, wraps = await database.read(find)
    own = await asyncio.to_thread(advocates.unlock, _locked(row), passphrase)
    opened = {epoch: epochs.unwrap(wrapped, advocate=own.sealing_key) for epoch, wrapped in wraps.items()}
    return Unlocked(own.name, {epoch: key for epoch, key in opened.items() if key is not None})


async def line_keys_of(database: Database, host: HostKey) -> LineKeys:
    """What the line writes with. Raises NotSetUp, WrongSecret, StoreUnavailable."""
    return await database.read(lambda connection: _line_keys(connection, host))


def _set_up_line(connection: Connection, host: HostKey, *, demo: bool) -> None:
    key, salt = signing.new_signing_key(), receipts.new_salt()
    public = signing.public_half(key)
    sealed = host.seal(key, purpose=LINE_KEY_PURPOSE + public)
    line_keys.add(connection, LineKeyRow(signing.signer_of(public), public_key=public, sealed=sealed))
    facts.add(connection, SITE_SALT, value=host.seal(salt, purpose=SITE_SALT.encode()))
    if demo:
        facts.add(connection, DEMO, value=b"")


def _make_due_epochs(connection: Connection, host: HostKey, *, now: datetime) -> tuple[str, ...]:
    existing = {row.id for row in stored_epochs.all_epochs(connection)}
    readers = stored_advocates.all_advocates(connection)
    missing = tuple(epoch for epoch in epochs.due(now.date()) if epoch not in existing)
    for epoch in missing:
        new = epochs.make(epoch, host)
        wraps = {reader.id: epochs.wrap(new.private_key, advocate=reader.sealing_key) for reader in readers}
        stored_epochs.add(connection, EpochRow(new.id, new.public_key, new.receipt_key), wraps=wraps)
    return missing


def _line_keys(connection: Connection, host: HostKey) -> LineKeys:
    rows = line_keys.all_line_keys(connection)
    salt = facts.find(connection, SITE_SALT)
    if not rows or salt is None:
        raise NotSetUp("this database holds no keys yet: run `ivr init`")
    site_salt = host.open(salt, purpose=SITE_SALT.encode())
    private = {row.public_key: _line_key(row, host) for row in rows}
    own = {public: key for public, key in private.items() if key is not None}
    if not own:
        raise NotSetUp("this database holds no signing key of this line: restore `line_keys` from a backup")
    return LineKeys(
        signing_key=next(iter(own.values())),
        public_keys={signing.signer_of(public): public for public in own},
        site_salt=site_salt,
    )


def _line_key(row: LineKeyRow, host: HostKey) -> bytes | None:
    """A key that does not open under the host's secret is not the line's, whoever wrote it there."""
    try:
        return host.open(row.sealed, purpose=LINE_KEY_PURPOSE + row.public_key)
    except WrongSecret:
        return None


def _inventory(connection: Connection, *, new_advocates: tuple[str, ...], new_epochs: tuple[str, ...]) -> Inventory:
    return Inventory(
        advocates=tuple(row.name for row in stored_advocates.all_advocates(connection)),
        epochs=tuple(row.id for row in stored_epochs.all_epochs(connection)),
        new_advocates=new_advocates,
        new_epochs=new_epochs,
        is_demo=facts.find(connection, DEMO) is not None,
    )


def _chosen(known: Sequence[AdvocateRow], name: str | None) -> AdvocateRow:
    if not known:
        raise NotSetUp("this database has no advocate yet: run `ivr init`")
    chosen = [row for row in known if name in (None, row.name)]
    if len(chosen) != 1:
        raise UnknownAdvocate(f"say which advocate reads: {', '.join(row.name for row in known)}")
    return chosen[0]


def row_of(new: Locked) -> AdvocateRow:
    """A new advocate as she is stored."""
    return AdvocateRow(
        id=new.id,
        name=new.name,
        sealing_key=new.sealing_key,
        signing_key=new.signing_key,
        salt=new.salt,
        passes=new.effort.passes,
        memory=new.effort.memory,
        wrapped=new.wrapped,
    )


def _locked(row: AdvocateRow) -> Locked:
    return Locked(
        id=row.id,
        name=row.name,
        sealing_key=row.sealing_key,
        signing_key=row.signing_key,
        salt=row.salt,
        effort=Effort(row.passes, row.memory),
        wrapped=row.wrapped,
    )
