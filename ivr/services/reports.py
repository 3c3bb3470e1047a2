"""Keeping reports. What keeps them cannot read them.
"Saved" is answered after a commit and never before: in the database, or, while that is away, in the spool."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from sqlalchemy import Connection

from ivr.engine.asks import NotSaved, Saved, SaveReport
from ivr.kit.time_limits import TimeLimits
from ivr.services.custody.signing import is_signed, signed_row, statement_of
from ivr.services.custody.trust import (
    LineEpoch,
    LineKeys,
    LineKeysLost,
    NotSetUp,
    keys_to_sign_with,
    line_epochs,
    line_keys_in,
)
from ivr.services.patience import Patience
from ivr.services.receipts import SlowHashes
from ivr.services.spool import Spool
from ivr.services.tagged import NEW, Tagged, tagged
from ivr.store import epochs as stored_epochs
from ivr.store import line_keys as stored_line_keys
from ivr.store import reports as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.store.reports import ReportRow, turn_of_ending
from ivr.vault import epochs, receipts, sealing
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin
from ivr.vault.sealing import Body, BodyTooLong, Place
from ivr.vault.signing import Statement

LOOK_SHARE = 0.2
WRITE_SHARE = 0.45
"""Of the time for a save: how long the database may take to say what it knows of a report, and to take it, before the
spool gets it."""


@dataclass(frozen=True, slots=True)
class EpochInUse:
    """The epoch that reports are sealed to. `ran_out` when it is not the one meant for the day: make new ones."""

    id: str
    ran_out: bool


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the line writes with, in memory: also while the database is away."""

    keys: LineKeys
    epochs: dict[str, LineEpoch]
    begun: str
    """The month that took reports when these were loaded. Later ones may have been made anew since."""

    def epoch(self, today: date) -> LineEpoch:
        """This month's epoch, else the newest before it, else the oldest of all."""
        return self._until(epochs.taking(today))

    def epoch_begun(self, today: date) -> LineEpoch:
        """The same, but one that nobody can have made anew since: for a report that the database does not see."""
        return self._until(min(epochs.taking(today), self.begun))

    def _until(self, month: str) -> LineEpoch:
        past = [epoch for epoch in self.epochs if epoch <= month]
        return self.epochs[max(past) if past else min(self.epochs)]


class Reports:
    """Takes the reports of one line; one per process and event loop."""

    def __init__(
        self,
        database: Database,
        spool: Spool,
        *,
        host: HostKey,
        pin: Pin,
        slow_hashes: SlowHashes,
        save_seconds: float = TimeLimits().save,
    ) -> None:
        self._database = database
        self._spool = spool
        self._host = host
        self._pin = pin
        self._slow_hashes = slow_hashes
        self._save_seconds = save_seconds
        self._look_seconds = save_seconds * LOOK_SHARE
        self._write_seconds = save_seconds * WRITE_SHARE
        self._desk: _Desk | None = None
        self._own_keys: dict[bytes, bytes] = {}
        self._patience = Patience()

    async def ready(self, today: date) -> EpochInUse:
        """Load the line's keys, bring home what waits in the spool, and say where reports go.

        Raises NotSetUp, LineKeysLost, StoreUnavailable.
        """
        await self._spool.open()
        desk = await self._sit_down(today)
        await self.bring_home()
        epoch = desk.epoch(today)
        return EpochInUse(epoch.id, ran_out=epoch.id < epochs.taking(today))

    async def months(self, today: date) -> int | None:
        """How many months, from this one on, have keys to seal reports with, as far as is known; with 0 reports still
        go to an earlier month. None where there are no keys at all."""
        try:
            desk = self._desk or await self._sit_down(today)
        except (StoreUnavailable, NotSetUp, LineKeysLost):
            return None
        return len([month for month in desk.epochs if month >= epochs.taking(today)])

    async def keep(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved | NotSaved:
        """Seal and commit, then answer; within `save_seconds` whatever happens to the database. Never raises for it.

        `seed` is the call's (16 bytes), `turn` its turn number, `today` the day where the line is. A repeated ask gives
        the same answer and no second report. A save given up on may still reach the disk: it is the same report if
        tried again. What is added to a report has its receipt, and none of its own.
        """
        save = self._add if ask.adds_to else self._save
        try:
            return await self._patience.within(self._save_seconds, save(ask, seed=seed, turn=turn, today=today))
        except (StoreUnavailable, BodyTooLong, NotSetUp, LineKeysLost):
            return NotSaved()

    async def tend(self, today: date) -> None:
        """What a serving line does again and again: forget the keys of dead epochs, bring home what waits, and leave no
        time of a report on the files. Raises as `ready` does.

        Whether it fails does not hang on a report: the log must not tell when one came.
        """
        await self._sit_down(today)
        await self.bring_home()
        for files in (self._database, self._spool):
            await files.settle()

    async def bring_home(self) -> int:
        """What waits in the spool, into the database. How many reports there were. Raises as `ready` does."""
        if await self._spool.is_empty():
            return 0
        return await self._spool.bring_home(self._database, vouch=self._vouch)

    async def close(self) -> None:
        """Let saves that were given up on come to their end, for a few seconds. Call it before the database's."""
        await self._patience.close()

    async def _save(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved:
        report_id = receipts.derive_id(seed, f"report {ask.form}", visit=ask.visit)
        code = receipts.receipt_code(seed, ask.form, visit=ask.visit) if ask.has_receipt else None
        turn = turn_of_ending(ask.ending) if ask.ends else turn
        is_away = False
        try:
            desk = await self._desk_for(today)
            if ask.ends and await self._patience.within(self._look_seconds, self._knows(report_id, turn)):
                return Saved(code)  # a doubled last save: no second slow hash
        except StoreUnavailable:
            if self._desk is None:
                raise
            desk, is_away = self._desk, True
        slow = None if code is None else await self._slow_hashes.of(code, site_salt=desk.keys.site_salt)
        seal = partial(_sealed, ask, report_id=report_id, turn=turn, today=today, slow=slow)
        nights_left = ask.nights or None
        if not is_away and await self._is_put(seal, desk, today, nights_left):
            return Saved(code)
        # It may have reached the database all the same: it is the same report there and in the spool.
        desk = self._desk or desk
        row, sealed_key = seal(desk, desk.epoch_begun(today))
        await self._spool.put(row, sealed_key, nights_left)
        return Saved(code)

    def _vouch(self, waiting: Sequence[ReportRow], connection: Connection) -> Sequence[ReportRow]:
        """A lead may have made new keys since this worker signed them. What it did not sign shows as planted."""
        signer = keys_to_sign_with(connection, self._host, self._pin).signer

        def vouched(row: ReportRow) -> ReportRow:
            was_ours = row.signer != signer.id and is_signed(row, self._own_keys)
            return signed_row(statement_of(row), signer) if was_ours else row

        return [vouched(row) for row in waiting]

    async def _desk_for(self, today: date) -> _Desk:
        """The keys in memory, loaded again where they have no epoch for the day."""
        if self._desk is None or epochs.taking(today) not in self._desk.epochs:
            return await self._patience.within(self._look_seconds, self._sit_down(today))
        return self._desk

    async def _sit_down(self, today: date) -> _Desk:
        """What the database has to write with, now in memory."""
        self._desk = await self._database.read(lambda connection: self._load(connection, today))
        signer = self._desk.keys.signer
        self._own_keys[signer.id] = signer.public_key
        return self._desk

    def _load(self, connection: Connection, today: date) -> _Desk:
        keys = line_keys_in(connection, self._host, self._pin)
        found = line_epochs(connection, keys, self._pin)
        if not found:
            raise LineKeysLost("there is no epoch that this line can use: `ivr keys status` says why, and what to do")
        return _Desk(keys, found, begun=epochs.taking(today))

    async def _knows(self, report_id: bytes, turn: int) -> bool:
        saved = await self._database.read(lambda connection: stored.turn_of(connection, report_id))
        return (saved or 0) >= turn

    async def _is_put(self, seal: "_Seal", desk: _Desk, today: date, nights_left: int | None) -> bool:
        """Whether the database took it, in time and under keys that are still the line's."""
        for _ in range(2):
            epoch = desk.epoch(today)
            row, sealed_key = seal(desk, epoch)
            write = partial(_write, row, sealed_key, epoch, nights_left)
            try:
                if await self._patience.within(self._write_seconds, self._database.write(write)):
                    return True
                desk = await self._patience.within(self._look_seconds, self._sit_down(today))
            except StoreUnavailable:
                return False
        raise NotSetUp("the line's keys change while a report is saved")

    async def _add(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved | NotSaved:
        """Never spooled: whether the report lives that it is added to, the database knows, and only when it commits."""
        addition_id = receipts.addition_id(seed, ask.form, ask.adds_to, visit=ask.visit)
        turn = turn_of_ending(ask.ending) if ask.ends else turn

        def add(connection: Connection) -> bool:
            keys = keys_to_sign_with(connection, self._host, self._pin)
            of = tagged(connection, ask.adds_to, keys, self._pin, locked=True)
            added = _addition(ask, of, keys, addition_id=addition_id, turn=turn, today=today)
            if added is None:
                return False
            # What is refused came before, or later saves of it did; whatever else lies there is not what she said.
            return stored.upsert(connection, added[0], sealed_key=added[1]) or any(
                row.id == addition_id and row.turn >= turn for row in of.living
            )

        return Saved() if await self._database.write(add) else NotSaved()


def week_of(day: date) -> str:
    """The ISO week of a day, YYYY-Www."""
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


_Seal = Callable[[_Desk, LineEpoch], tuple[ReportRow, bytes]]


def _write(
    row: ReportRow, sealed_key: bytes, epoch: LineEpoch, nights_left: int | None, connection: Connection
) -> bool:
    """False where a lead has given line or epoch other keys since these were loaded."""
    is_still = stored_line_keys.exists(connection, row.signer)
    if not (is_still and stored_epochs.exists(connection, epoch.id, epoch.public_key)):
        return False
    stored.upsert(connection, row, sealed_key=sealed_key, nights_left=nights_left)
    return True


def _addition(
    ask: SaveReport, of: Tagged, keys: LineKeys, *, addition_id: bytes, turn: int, today: date
) -> tuple[ReportRow, bytes] | None:
    """What is added to a report, and its sealed data key: it may be used as that report may be at this moment, and
    expires with it. None where no report of this form lives that has this receipt."""
    report = next((row for row in of.living if row.form == ask.form), None)
    if report is None:
        return None
    body = Body(today.isoformat(), receipts.handle(ask.adds_to), ask.answers, is_addition=True)
    place = Place(addition_id, report.form, report.epoch)
    sealed = sealing.seal(body, place, epoch_key=of.epochs[report.epoch].public_key)
    about = statement_of(report)
    statement = replace(about, id=addition_id, turn=turn, consent=of.consent, state=NEW, body=sealed.body)
    return signed_row(statement, keys.signer), sealed.key


def _sealed(
    ask: SaveReport,
    desk: _Desk,
    epoch: LineEpoch,
    *,
    report_id: bytes,
    turn: int,
    today: date,
    slow: bytes | None,
) -> tuple[ReportRow, bytes]:
    """The row, signed, and its sealed data key. Without a slow hash nobody can come back to it, as to a request to
    be called: no tag, any handle."""
    handle = receipts.random_handle() if slow is None else receipts.handle(slow)
    body = Body(day=today.isoformat(), handle=handle, answers=ask.answers)
    sealed = sealing.seal(body, Place(report_id, ask.form, epoch.id), epoch_key=epoch.public_key)
    statement = Statement(
        id=report_id,
        form=ask.form,
        epoch=epoch.id,
        week=week_of(today),
        turn=turn,
        consent=ask.consent,
        state=NEW,
        receipt_tag=None if slow is None else receipts.tag(epoch.receipt_key, slow),
        body=sealed.body,
    )
    return signed_row(statement, desk.keys.signer), sealed.key
