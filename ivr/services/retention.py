"""Forgetting in time: what expires is deleted each night, and what is left is written anew so that nothing tells when
it came. One worker of all does a night's work, once."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ivr.flow.graph import Flow
from ivr.kit.clock import Clock
from ivr.services.custody.signing import is_signed, signed_row, statement_of
from ivr.services.custody.trust import LineKeys, LineKeysLost, NotSetUp, Signers, line_keys_in, signers
from ivr.services.receipts import forgotten
from ivr.services.reports import week_of
from ivr.store import contributions, jobs
from ivr.store import epochs as stored_epochs
from ivr.store import reports as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.store.reports import MAX_TURN
from ivr.store.tables import REWRITTEN
from ivr.vault import epochs
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin

JOB = "night"
WRITTEN_ANEW = "rewriting"
"""Said of a day once its work is on the disk too: a worker that died between the two left it to the next."""
BEGINS_AT = 3
"""The hour, where the line is: the fewest calls. A line that was off then does its work when it is on again."""

LONGEST_DAYS = 90
"""Where a flow has no form at all."""

SPOOLED = timedelta(days=14)
"""How long a report may wait in some host's spool and still find its epoch."""

MOST_DAYS_OFF = 7
"""After more days without a night's work the clock may be wrong: nothing is forgotten by one look at it. The next
night, which it must see too, forgets what has expired; so does `ivr reports purge`."""

CLEAN_TRIES = 60
CLEAN_PAUSE = 5.0
"""Seconds between two tries."""


@dataclass(frozen=True, slots=True)
class Purged:
    """What was forgotten, or would be: reports by form, derived uses, epochs with all their keys."""

    reports: Mapping[str, int]
    contributions: int
    epochs: tuple[str, ...]
    closed: int
    """Reports that were cut off, two nights ago at least: no save changes them any more."""
    waits: bool = False
    """Nothing was forgotten: the last night was too long ago, or is still to come."""


class _Only(Exception):
    """Ends a transaction that is to change nothing: what it would have done."""

    def __init__(self, would: Purged) -> None:
        super().__init__()
        self.would = would


@dataclass(frozen=True, slots=True)
class Night:
    """A line's nightly work. Every method raises StoreUnavailable."""

    database: Database
    host: HostKey
    pin: Pin
    flow: Flow
    clock: Clock

    async def work_if_due(self) -> Purged | None:
        """A night's work, if it is time and no worker has done it; else None. What a worker that died, or had somebody
        in its way, has not written anew is written anew then."""
        here = self.clock.now().astimezone(ZoneInfo(self.flow.zone))
        if here.hour < BEGINS_AT:
            return None
        day = here.date().isoformat()
        done = await self.database.alone(lambda connection: self._night(connection, here.date()))
        if await self.database.read(lambda connection: jobs.is_due(connection, WRITTEN_ANEW, day=day)):
            await self._clean()
            await self.database.alone(lambda connection: jobs.claim(connection, WRITTEN_ANEW, day=day))
        return done

    async def purge(self, today: date) -> Purged:
        """Forget now what the next night would; nights are not counted by it."""
        done = await self.database.alone(lambda connection: _purge(connection, self.flow, today))
        await self._clean()
        return done

    async def preview(self, today: date) -> Purged:
        """What `purge` would forget: the same work, rolled back."""

        def only(connection: Connection) -> Purged:
            raise _Only(_purge(connection, self.flow, today))

        try:
            return await self.database.alone(only)
        except _Only as only_that:
            return only_that.would

    def _night(self, connection: Connection, today: date) -> Purged | None:
        """Claimed and done in one transaction: a worker that dies has done nothing, and the next one does it."""
        before = jobs.last_run(connection, JOB)
        if not jobs.claim(connection, JOB, day=today.isoformat()):
            return None
        done = (
            Purged({}, 0, (), closed=0, waits=True) if _jumped(before, today) else _purge(connection, self.flow, today)
        )
        try:
            keys = line_keys_in(connection, self.host, self.pin)
        except (NotSetUp, LineKeysLost):
            return done  # told at every start; forgetting does not wait for it
        return replace(done, closed=_close_cut_off(connection, keys, signers(connection, self.pin)))

    async def _clean(self) -> None:
        """Somebody who reads a snapshot, a backup for one, may be in the way for a while."""
        for left in reversed(range(CLEAN_TRIES)):
            try:
                await self.database.rewrite(REWRITTEN)
                break
            except StoreUnavailable:
                if not left:
                    raise
                await asyncio.sleep(CLEAN_PAUSE)
        await forgotten(self.database)


def _jumped(before: str | None, today: date) -> bool:
    """Whether time between two nights' work passed otherwise than night by night."""
    try:
        return before is not None and not 0 < (today - date.fromisoformat(before)).days <= MOST_DAYS_OFF
    except ValueError:  # no day at all: another hand wrote it
        return True


def _purge(connection: Connection, flow: Flow, today: date) -> Purged:
    expired: Counter[str] = Counter()
    for form in stored.forms(connection):
        ids = stored.of_week(connection, form, until=week_of(today - timedelta(days=_keep_days(flow, form))))
        stored.remove(connection, ids)
        expired[form] += len(ids)
    derived = contributions.expire(connection, today.isoformat())
    return Purged(+expired, derived, _bury_epochs(connection, today), closed=0)


def _keep_days(flow: Flow, form: str) -> int:
    """The days that a form's reports are kept, counted from the Monday of their week. Those of a form that is not in
    the flow any more are kept as long as the longest: nobody said that they may go sooner."""
    days = {known.name: known.keep_days for known in flow.forms.values()}
    return days.get(form, max(days.values(), default=LONGEST_DAYS))


def _bury_epochs(connection: Connection, today: date) -> tuple[str, ...]:
    """The epochs whose time to take reports is long over and that have none left: their keys go, everybody's."""
    begun = [row.id for row in stored_epochs.all_epochs(connection) if row.id <= epochs.taking(today)]
    in_use = {*stored.epochs_in_use(connection), *begun[-1:]}  # the newest takes reports, also when they have run out
    over = epochs.taking(today - SPOOLED)
    dead = tuple(epoch for epoch in begun if epoch < over and epoch not in in_use)
    for epoch in dead:
        stored_epochs.remove(connection, epoch)
    return dead


def _close_cut_off(connection: Connection, keys: LineKeys, trusted: Signers) -> int:
    """Reports of calls that were cut off: on their second night their turn, which tells how long she called, becomes
    that of every other. How many there were."""
    closed = 0
    for row, nights in stored.cut_off(connection):
        if nights is None:
            stored.set_nights_left(connection, row.id, 1)
        elif is_signed(row, trusted):  # a planted one keeps its signature, and shows
            stored.change(connection, signed_row(replace(statement_of(row), turn=MAX_TURN), keys.signer), was=row)
            stored.set_nights_left(connection, row.id, None)
            closed += 1
    return closed
