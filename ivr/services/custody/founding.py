"""The first keys of all: the organisation's, its first lead's, the line's, the recovery key's, the first epochs'."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from ivr.services import nights
from ivr.services.custody.making import make_due_epochs, make_line_keys, make_recovery
from ivr.services.custody.trust import row_of
from ivr.store import advocates as stored_advocates
from ivr.store import facts, jobs
from ivr.store import organisation as stored_organisation
from ivr.store.database import Database
from ivr.vault import advocates, organisation
from ivr.vault.advocates import MODERATE, Effort, Locked, Role
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin
from ivr.vault.recovery import Share
from ivr.vault.wrapping import wrap

DEMO = "demo"


class Custody(StrEnum):
    """Which keys there are, whosever they are."""

    NONE = "none"
    WHOLE = "whole"
    DATA_ONLY = "data only"
    """Advocates, and nothing that any of them could open: the half that `data` files of a backup hold."""
    KEYS_ONLY = "keys only"


class AlreadyFounded(Exception):
    """There are keys already. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Founded:
    """What was made. `pin` goes into the settings, `shares` onto paper: they are kept nowhere else."""

    pin: Pin
    shares: tuple[Share, ...] = field(repr=False)
    epochs: tuple[str, ...]


async def custody_in(database: Database) -> Custody:
    """Which keys there are. Raises StoreUnavailable."""
    return await database.read(_custody)


async def is_demo(database: Database) -> bool:
    """Whether this data was made with a generated passphrase: never for real callers. Raises StoreUnavailable."""
    return await database.read(lambda connection: facts.find(connection, DEMO)) is not None


async def found(
    database: Database,
    *,
    secret: bytes,
    lead: str,
    passphrase: str,
    now: datetime,
    demo: bool = False,
    effort: Effort = MODERATE,
) -> Founded:
    """Everything a new line needs, in one transaction. `secret` is IVR_SECRET; `demo` marks the data as one.

    The tables must exist. Raises AlreadyFounded, StoreUnavailable.
    """
    if await custody_in(database) is not Custody.NONE:  # before a second of stretching, and again below
        raise AlreadyFounded
    key = organisation.new_key()
    pin = organisation.pin_of(key)
    # Stretching a passphrase takes a second: not while everybody else waits for the database.
    first = await asyncio.to_thread(advocates.enrol, lead, passphrase, role=Role.LEAD, pin=pin, effort=effort)
    host = HostKey.of(secret)
    return await database.alone(lambda connection: _found(connection, first, key, host, now=now, demo=demo))


def _found(connection: Connection, first: Locked, key: bytes, host: HostKey, *, now: datetime, demo: bool) -> Founded:
    if _custody(connection) is not Custody.NONE:
        raise AlreadyFounded
    stored_advocates.add(connection, row_of(first, organisation.certify(first.claim(), key)))
    stored_organisation.give(connection, first.id, wrap(key, to=first.sealing_key))
    make_line_keys(connection, key, host)
    shares = make_recovery(connection, key, epoch_keys={})
    made = make_due_epochs(connection, key, now=now)
    # Somebody is there who would see that the clock is wrong. A day less: where the line is it may still be yesterday.
    jobs.claim(connection, nights.COUNTED, day=(now.date() - timedelta(days=1)).isoformat())
    if demo:
        facts.add(connection, DEMO, value=b"")
    return Founded(organisation.pin_of(key), shares, made)


def _custody(connection: Connection) -> Custody:
    has_people = bool(stored_advocates.all_advocates(connection))
    has_wraps = stored_organisation.has_wraps(connection)
    if has_people:
        return Custody.WHOLE if has_wraps else Custody.DATA_ONLY
    return Custody.KEYS_ONLY if has_wraps else Custody.NONE
