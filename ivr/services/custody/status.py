"""What keys there are, what is wrong with them and what to do, without anybody's passphrase."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ivr.services.custody.making import certified_recoveries
from ivr.services.custody.trust import (
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


def _status(connection: Connection, host: HostKey, pin: Pin, *, now: datetime) -> Status:
    members = tuple(
        Member(row.name, Role(row.role), len(stored_epochs.wraps_for(connection, row.id)))
        for row in certified_advocates(connection, pin)
    )
    trouble = []
    usable: tuple[str, ...] = ()
    try:
        usable = tuple(line_epochs(connection, line_keys_in(connection, host, pin), pin))
    except (NotSetUp, LineKeysLost) as error:
        trouble.append(f"{error}.")
    has_recovery = bool(certified_recoveries(connection, pin))
    trouble += _planted(connection, pin, members=len(members), usable=len(usable))
    trouble += _warnings(members, usable, has_recovery=has_recovery, now=now)
    return Status(members, usable, has_recovery, tuple(trouble))


def _planted(connection: Connection, pin: Pin, *, members: int, usable: int) -> Iterator[str]:
    """Whatever lies there beside what the organisation certified."""
    recoveries = len(stored_organisation.recoveries(connection))
    kinds = {
        "epochs that this organisation did not certify": len(stored_epochs.all_epochs(connection)) > usable > 0,
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


def _warnings(
    members: tuple[Member, ...], usable: tuple[str, ...], *, has_recovery: bool, now: datetime
) -> Iterator[str]:
    due = epochs.due(now.date())
    missing = [epoch for epoch in due if epoch not in usable]
    if usable and due[0] > usable[-1]:
        yield f"The epochs have run out: reports go on to {usable[-1]}. A lead makes new ones with `ivr keys epochs`."
    elif usable and missing:
        yield f"Not yet made: {', '.join(missing)}. A lead's sign-in makes them: `ivr keys epochs`."
    if len([member for member in members if member.role is Role.LEAD]) == 1:
        yield "There is one lead only. If she is lost, two of the printed shares are needed: add a second lead."
    if not has_recovery:
        yield "There are no printed shares. A lead prints them with `ivr keys shares`."
