"""What keys there are, what is wrong with them and what to do, without anybody's passphrase."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ivr.services.custody.making import certified_recoveries, readers
from ivr.services.custody.trust import (
    LineKeys,
    LineKeysLost,
    NotSetUp,
    certified_advocates,
    line_epochs,
    line_keys_in,
)
from ivr.store import advocates as stored_advocates
from ivr.store import epochs as stored_epochs
from ivr.store import line_keys as stored_line_keys
from ivr.store import organisation as stored_organisation
from ivr.store.database import Database
from ivr.vault import epochs
from ivr.vault.advocates import Role
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin
from ivr.vault.wrapping import unwrap


@dataclass(frozen=True, slots=True)
class Member:
    """An advocate, and how many of the epochs she may open."""

    name: str
    role: Role
    epochs: int


@dataclass(frozen=True, slots=True)
class Status:
    """`epochs`: those that the line may seal to. `warnings`: one sentence each, with its cure."""

    members: tuple[Member, ...]
    epochs: tuple[str, ...]
    has_recovery: bool
    warnings: tuple[str, ...]


async def status_of(database: Database, host: HostKey, pin: Pin, *, now: datetime) -> Status:
    """How custody stands. Raises StoreUnavailable."""
    return await database.read(lambda connection: _status(connection, host, pin, now=now))


async def missing_months(database: Database, host: HostKey, pin: Pin, *, now: datetime) -> tuple[str, ...]:
    """What keeps the line from a month that lies there or is due, one sentence each, with its cure. Raises
    StoreUnavailable."""
    return await database.read(lambda connection: _months(connection, host, pin, now=now)[1])


def _status(connection: Connection, host: HostKey, pin: Pin, *, now: datetime) -> Status:
    members = members_of(connection, pin)
    usable, trouble = _months(connection, host, pin, now=now)
    has_recovery = bool(certified_recoveries(connection, pin))
    planted = _planted(connection, pin, members=len(members))
    return Status(members, usable, has_recovery, (*trouble, *planted, *_warnings(members, has_recovery=has_recovery)))


def members_of(connection: Connection, pin: Pin) -> tuple[Member, ...]:
    """Everybody who has keys, by name, as far as the organisation certified them."""
    return tuple(
        Member(row.name, Role(row.role), len(stored_epochs.wraps_for(connection, row.id)))
        for row in certified_advocates(connection, pin)
    )


def _months(
    connection: Connection, host: HostKey, pin: Pin, *, now: datetime
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The epochs that the line may use, and what keeps it from the others."""
    try:
        keys = line_keys_in(connection, host, pin)
    except (NotSetUp, LineKeysLost) as error:
        return (), (f"{error}.",)
    usable = tuple(line_epochs(connection, keys, pin))
    return usable, (*_unusable(connection, keys, pin, usable), *_not_made(connection, usable, now=now))


def _unusable(connection: Connection, keys: LineKeys, pin: Pin, usable: Collection[str]) -> Iterator[str]:
    """Epochs that lie there and are not used. Where the line cannot open its part of one, a lead may; where it can, the
    certificate says that it is another."""
    held = {epoch for reader in readers(connection, pin) for epoch in stored_epochs.wraps_for(connection, reader.id)}
    rows = [row for row in stored_epochs.all_epochs(connection) if row.id not in usable]
    closed = [row.id for row in rows if row.id in held and unwrap(row.receipt_key, by=keys.sealing_key) is None]
    altered = [row.id for row in rows if row.id not in closed]
    if closed:
        yield (
            f"The line cannot open its part of {', '.join(closed)}: it was altered. "
            "A lead gives it a new one with `ivr keys roll`."
        )
    if altered:
        yield (
            f"There are epochs that this organisation did not certify: {', '.join(altered)}. Somebody wrote them into "
            "the database, or altered them there, and nobody believes them: find out who can write there, and compare "
            "it with a backup. Where a month of yours was altered, put that back."
        )


def _not_made(connection: Connection, usable: Sequence[str], *, now: datetime) -> Iterator[str]:
    due, existing = epochs.due(now.date()), [row.id for row in stored_epochs.all_epochs(connection)]
    missing = [epoch for epoch in due if epoch not in existing]
    if usable and len(missing) == len(due):
        yield f"The epochs have run out: reports go on to {usable[-1]}. A lead makes new ones with `ivr keys epochs`."
    elif missing:
        yield f"Not yet made: {', '.join(missing)}. A lead's sign-in makes them: `ivr keys epochs`."


def _planted(connection: Connection, pin: Pin, *, members: int) -> Iterator[str]:
    """Whoever lies there beside those whom the organisation certified."""
    recoveries = len(stored_organisation.recoveries(connection))
    kinds = {
        "advocates whom this organisation did not certify": len(stored_advocates.all_advocates(connection)) > members,
        "recovery keys that this organisation did not certify": (
            recoveries > len(certified_recoveries(connection, pin))
        ),
        "keys of another line than this one": len(stored_line_keys.all_line_keys(connection)) > 1,
    }
    for kind in (kind for kind, is_there in kinds.items() if is_there):
        yield (
            f"There are {kind}: somebody wrote them into the database. Nobody believes them; "
            "find out who can write there, and compare it with a backup."
        )


def _warnings(members: tuple[Member, ...], *, has_recovery: bool) -> Iterator[str]:
    if len([member for member in members if member.role is Role.LEAD]) == 1:
        yield "There is one lead only. If she is lost, two of the printed shares are needed: add a second lead."
    if not has_recovery:
        yield "There are no printed shares. A lead prints them with `ivr keys shares`."
