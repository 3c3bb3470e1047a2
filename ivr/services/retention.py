"""Forgetting in time: what expires is deleted each night, and what is left is written anew so that nothing tells when
it came. One worker of all does a night's work, once."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from ivr.flow.forms import MOST_NIGHTS
from ivr.flow.graph import Flow
from ivr.kit.clock import Clock
from ivr.services import nights
from ivr.services.custody.signing import is_signed, signed_row, statement_of
from ivr.services.custody.trust import LineKeys, LineKeysLost, NotSetUp, Signers, line_keys_in, signers
from ivr.services.receipts import forgotten
from ivr.services.reports import week_of
from ivr.services.spool import Spool
from ivr.store import claims, contributions, jobs
from ivr.store import epochs as stored_epochs
from ivr.store import reports as stored
from ivr.store.database import PATIENT_SECONDS, Database, StoreUnavailable
from ivr.store.reports import MAX_TURN
from ivr.store.tables import REWRITTEN
from ivr.vault import epochs
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin

WRITTEN_ANEW = "rewriting"
"""Said of a day once its work is on the disk too: a worker that died between the two left it to the next."""
LONGEST_DAYS = 90
"""Where a flow has no form at all."""

SPOOLED = timedelta(days=14)
"""How long a report may wait in some host's spool and still find its epoch."""

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


WAITS = Purged({}, 0, (), closed=0, waits=True)


class _Only(Exception):
    """Ends a transaction that is to change nothing: what it would have done."""

    def __init__(self, would: Purged) -> None:
        super().__init__()
        self.would = would


@dataclass(frozen=True, slots=True)
class Night:
    """A line's nightly work. Every method raises StoreUnavailable. `spool`: this host's, where it has one.
    `looks`: of a line that serves, and looks once a minute; without it, the clock is believed at once."""

    database: Database
    host: HostKey
    pin: Pin
    flow: Flow
    clock: Clock
    spool: Spool | None = None
    looks: nights.Looks | None = None

    async def work_if_due(self) -> Purged | None:
        """A night's work, if it is time and no worker has done it; else None. What a worker that died, or had somebody
        in its way, has not written anew is written anew then."""
        here = self.clock.now().astimezone(ZoneInfo(self.flow.zone))
        if self.looks is not None and not self.looks.is_believed(here):
            return None
        if self.spool is not None:
            with suppress(StoreUnavailable):  # told by whoever brings home what waits there; the night goes on
                await self.spool.count_night(here)
        night = nights.due(here, await self.database.read(lambda connection: jobs.last_run(connection, nights.JOB)))
        if night is None:
            return None
        day, in_time = night.isoformat(), night == here.date()
        done = await self.database.alone(
            lambda connection: self._night(connection, night, closes=in_time), wait_seconds=PATIENT_SECONDS
        )
        if await self.database.read(lambda connection: jobs.is_due(connection, WRITTEN_ANEW, day=day)):
            await self._clean()
            await self.database.alone(
                lambda connection: jobs.claim(connection, WRITTEN_ANEW, day=day), wait_seconds=PATIENT_SECONDS
            )
        return done

    async def purge(self, today: date) -> Purged:
        """Forget now what the next night would; nights are not counted by it."""
        done = await self.database.alone(lambda connection: _purge(connection, self.flow, today, passed=0))
        await self._clean()
        return done

    async def preview(self, today: date) -> Purged:
        """What `purge` would forget: the same work, rolled back."""

        def only(connection: Connection) -> Purged:
            raise _Only(_purge(connection, self.flow, today, passed=0))

        try:
            return await self.database.alone(only)
        except _Only as only_that:
            return only_that.would

    def _night(self, connection: Connection, today: date, *, closes: bool = True) -> Purged | None:
        """Claimed and done in one transaction: a worker that dies has done nothing, and the next one does it. A night
        that is worked late, just before the next, closes nothing: a call may last from the one to the other."""
        before = jobs.last_run(connection, nights.JOB)
        if not jobs.claim(connection, nights.JOB, day=today.isoformat()):
            return None
        passed = nights.passed(before, today)
        done = _purge(connection, self.flow, today, passed=passed) if passed else WAITS
        if passed:
            claims.count_night(connection)
            jobs.claim(connection, nights.COUNTED, day=today.isoformat())
        if not closes:
            return done
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


def _purge(connection: Connection, flow: Flow, today: date, *, passed: int) -> Purged:
    expired = nights.count_down(connection, passed) if passed else Counter[str]()
    expired += _requests_long_over(connection, flow, today)
    for form in stored.forms(connection):
        old = stored.of_week(connection, form, until=last_week(flow, form, today))
        stored.remove(connection, [one.id for one in old])
        expired[form] += len({(one.epoch, one.receipt_tag or one.id) for one in old})  # with what was added to each
    derived = contributions.expire(connection, today.isoformat())
    return Purged(+expired, derived, _bury_epochs(connection, today), closed=0)


def _requests_long_over(connection: Connection, flow: Flow, today: date) -> Counter[str]:
    """Requests to be called whose time is over on whichever day of their week they came. Only those get here whose
    nights nobody counted: somebody has dealt with them, another hand was in the database, the line was off for long."""
    most = {form.name: form.keep_days for form in flow.forms.values() if form.is_request}
    gone: Counter[str] = Counter()
    for request in stored.requests(connection):
        if request.week < week_of(today - timedelta(days=most.get(request.form, MOST_NIGHTS))):
            stored.remove(connection, [request.id])
            gone[request.form] += 1
    return gone


def last_week(flow: Flow, form: str, night: date) -> str:
    """The ISO week (YYYY-Www) whose reports of this form this night forgets, with those of every week before."""
    return week_of(night - timedelta(days=_keep_days(flow, form)))


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
    for row, left in stored.cut_off(connection):
        if left is None:
            stored.set_nights_left(connection, row.id, 1)
        elif is_signed(row, trusted):  # a planted one keeps its signature, and shows
            stored.change(connection, signed_row(replace(statement_of(row), turn=MAX_TURN), keys.signer), was=row)
            stored.set_nights_left(connection, row.id, None)
            closed += 1
    return closed
