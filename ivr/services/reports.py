"""Keeping reports, and reading them with an advocate's keys. What keeps them cannot read them.
"Saved" is answered after the commit and never before; whatever fails in time or at all is NotSaved."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection

from ivr.engine.asks import Answers, NotSaved, Saved, SaveReport
from ivr.services.custody import LineKeys, NotSetUp, Unlocked, line_keys_of
from ivr.store import epochs as stored_epochs
from ivr.store import reports as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.store.reports import ReportRow, turn_of_ending
from ivr.vault import epochs, receipts, sealing, signing
from ivr.vault.host import HostKey, WrongSecret
from ivr.vault.sealing import Body, BodyTooLong, Place, Sealed
from ivr.vault.signing import Statement

SAVE_SECONDS = 1.5
"""A caller hears something within 2 s: a save that takes longer is told as not saved."""
CLOSE_SECONDS = 5.0
SLOW_AT_ONCE = 2

NEW = "new"


@dataclass(frozen=True, slots=True)
class EpochInUse:
    """The epoch that reports are sealed to. `ran_out` when it is not the one meant for the day: make new ones."""

    id: str
    ran_out: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """What is known of a report without opening it."""

    id: bytes
    form: str
    epoch: str
    week: str
    consent: str
    state: str
    trusted: bool
    """Its signature is the line's: nobody planted or altered it."""


class Seal(StrEnum):
    """What became of a report's seal when an advocate tried it."""

    OPENED = "opened"
    FORGOTTEN = "forgotten"
    """Its key is gone: withdrawn or expired. Nobody can ever read it."""
    NOT_HERS = "not hers"
    """Its epoch was never given to this advocate."""
    BROKEN = "broken"
    """Body, key or columns are not the ones that were sealed together."""


@dataclass(frozen=True, slots=True)
class OpenReport:
    """A report as its advocate reads it. `day` (YYYY-MM-DD) and `answers` are None unless the seal opened."""

    listed: Listed
    seal: Seal
    day: str | None = None
    answers: Answers | None = None

    @property
    def trusted(self) -> bool:
        """Signed, and not broken. False: somebody planted or altered it, nobody should act on it."""
        return self.listed.trusted and self.seal is not Seal.BROKEN


@dataclass(frozen=True, slots=True)
class _Epoch:
    id: str
    public_key: bytes
    receipt_key: bytes


@dataclass(frozen=True, slots=True)
class _Receipt:
    """What a row and a body carry of a receipt. The code itself is only spoken."""

    slow_hash: bytes | None

    def tag(self, receipt_key: bytes) -> bytes | None:
        return None if self.slow_hash is None else receipts.tag(receipt_key, self.slow_hash)

    def handle(self) -> bytes:
        return receipts.random_handle() if self.slow_hash is None else receipts.handle(self.slow_hash)


class Reports:
    """The reports of one line; one per process and event loop. `secret` is IVR_SECRET."""

    def __init__(self, database: Database, *, secret: bytes, save_seconds: float = SAVE_SECONDS) -> None:
        self._database = database
        self._host = HostKey.of(secret)
        self._save_seconds = save_seconds
        self._line: LineKeys | None = None
        self._slow_turns = asyncio.Semaphore(SLOW_AT_ONCE)
        self._saving: set[asyncio.Task[Saved]] = set()

    async def ready(self, today: date) -> EpochInUse:
        """Load the line's keys and say where reports go. Raises NotSetUp, WrongSecret, StoreUnavailable."""
        await self._keys()
        epoch = await self._database.read(lambda connection: _epoch(connection, self._host, today=today))
        return EpochInUse(epoch.id, ran_out=epoch.id < epochs.taking(today))

    async def keep(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved | NotSaved:
        """Seal and commit, then answer; within `save_seconds` whatever happens to the database. Never raises for it.

        `seed` is the call's (16 bytes), `turn` its turn number, `today` the day where the line is. A repeated ask gives
        the same answer and no second report. A save given up on may still reach the disk: it is the same report if
        tried again.
        """
        save = asyncio.create_task(self._save(ask, seed=seed, turn=turn, today=today))
        self._saving.add(save)
        save.add_done_callback(self._ended)
        # Left to end by itself: to cancel a driver in the middle of a statement can hang it, and the process with it.
        await asyncio.wait({save}, timeout=self._save_seconds)
        if not save.done():
            return NotSaved()
        try:
            return save.result()
        except (StoreUnavailable, BodyTooLong, NotSetUp, WrongSecret):
            return NotSaved()

    async def close(self) -> None:
        """Let saves that were given up on come to their end, for a few seconds. Call it before the database's."""
        if self._saving:
            await asyncio.wait(self._saving, timeout=CLOSE_SECONDS)

    async def page(self, after: bytes = b"", *, limit: int = 100) -> Sequence[Listed]:
        """The next reports in the order of their random ids. Raises NotSetUp, WrongSecret, StoreUnavailable."""
        line = await self._keys()
        rows = await self._database.read(lambda connection: stored.page(connection, after, limit=limit))
        return [_listed(row, line) for row in rows]

    async def read(self, report_id: bytes, *, unlocked: Unlocked) -> OpenReport | None:
        """One report, opened with an advocate's keys; None if there is none. Raises as `page` does."""
        line = await self._keys()

        def find(connection: Connection) -> tuple[ReportRow | None, bytes | None]:
            return stored.find(connection, report_id), stored.sealed_key(connection, report_id)

        row, key = await self._database.read(find)
        return None if row is None else _opened(row, key, line=line, unlocked=unlocked)

    async def _keys(self) -> LineKeys:
        if self._line is None:
            self._line = await line_keys_of(self._database, self._host)
        return self._line

    def _ended(self, save: asyncio.Task[Saved]) -> None:
        """Also for a save that was given up on: its failure has been told, and is looked at so that nothing warns."""
        self._saving.discard(save)
        if not save.cancelled():
            save.exception()

    async def _save(self, ask: SaveReport, *, seed: bytes, turn: int, today: date) -> Saved:
        line = await self._keys()
        report_id = receipts.derive_id(seed, f"report {ask.form}", visit=ask.visit)
        code = receipts.receipt_code(seed, ask.form, visit=ask.visit) if ask.ends else None
        turn = turn_of_ending(ask.ending) if ask.ends else turn

        def look(connection: Connection) -> tuple[_Epoch, int]:
            return _epoch(connection, self._host, today=today), stored.turn_of(connection, report_id) or 0

        epoch, turn_kept = await self._database.read(look)
        if turn_kept >= turn:
            return Saved(code)  # a doubled or late save: no second slow hash either
        receipt = await self._receipt(code, line)
        place = Place(report_id, ask.form, epoch.id)
        body = Body(day=today.isoformat(), handle=receipt.handle(), answers=ask.answers)
        sealed = sealing.seal(body, place, epoch_key=epoch.public_key)
        statement = Statement(
            id=report_id,
            form=ask.form,
            epoch=epoch.id,
            week=_week(today),
            turn=turn,
            consent=ask.consent,
            state=NEW,
            receipt_tag=receipt.tag(epoch.receipt_key),
            body=sealed.body,
        )
        row = _signed(statement, line)
        await self._database.write(lambda connection: stored.upsert(connection, row, sealed_key=sealed.key))
        return Saved(code)

    async def _receipt(self, code: str | None, line: LineKeys) -> _Receipt:
        if code is None:
            return _Receipt(None)
        async with self._slow_turns:
            return _Receipt(await asyncio.to_thread(receipts.slow, code, site_salt=line.site_salt))


def _epoch(connection: Connection, host: HostKey, *, today: date) -> _Epoch:
    """Its keys, if they are the ones that were made here; a public key planted in the database is refused."""
    row = stored_epochs.taking(connection, epochs.taking(today))
    if row is None:
        raise NotSetUp("this database holds no epoch yet: run `ivr init`")
    receipt_key = epochs.open_receipt_key(row.receipt_key, host, epoch=row.id, public_key=row.public_key)
    return _Epoch(row.id, row.public_key, receipt_key)


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year:04}-W{week:02}"


def _signed(statement: Statement, line: LineKeys) -> ReportRow:
    return ReportRow(
        **asdict(statement),
        signer=signing.signer_of(signing.public_half(line.signing_key)),
        signature=signing.sign(statement, line.signing_key),
    )


def _statement(row: ReportRow) -> Statement:
    return Statement(**{field.name: getattr(row, field.name) for field in fields(Statement)})


def _listed(row: ReportRow, line: LineKeys) -> Listed:
    public_key = line.public_keys.get(row.signer)
    return Listed(
        id=row.id,
        form=row.form,
        epoch=row.epoch,
        week=row.week,
        consent=row.consent,
        state=row.state,
        trusted=public_key is not None and signing.verify(_statement(row), row.signature, public_key=public_key),
    )


def _opened(row: ReportRow, sealed_key: bytes | None, *, line: LineKeys, unlocked: Unlocked) -> OpenReport:
    listed = _listed(row, line)
    if sealed_key is None:
        return OpenReport(listed, Seal.FORGOTTEN)
    epoch_key = unlocked.epoch_keys.get(row.epoch)
    if epoch_key is None:
        return OpenReport(listed, Seal.NOT_HERS)
    place = Place(row.id, row.form, row.epoch)
    body = sealing.open_body(Sealed(row.body, sealed_key), place, epoch_key=epoch_key)
    if body is None:
        return OpenReport(listed, Seal.BROKEN)
    return OpenReport(listed, Seal.OPENED, day=body.day, answers=body.answers)
