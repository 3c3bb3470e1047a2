"""A line of two workers on one database, the messages that callers send with their receipts, and what must come of each
of them: by hand, in memory, one after the other."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from ivr.engine.asks import Answers, Gone, Noted, NotSaved, Opened, Saved, SaveReport, StatusIs
from ivr.flow.line import CONSENTS
from ivr.kit.clock import VirtualClock
from ivr.services.by_receipt import LiveReceipts
from ivr.services.custody.sessions import Session
from ivr.services.receipts import SlowHashes
from ivr.services.reports import Reports
from ivr.services.retention import Night
from ivr.services.spool import Spool
from ivr.services.tagged import NEW, TAKEN_BACK
from ivr.store import reports as stored
from ivr.store.database import LOCK_SECONDS, Database
from ivr.vault import receipts as vault
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin
from tests.founded import SECRET, Office, found, unhurried_database
from tests.promises.saving import quick
from tests.shipped import flow

FIRST = date(2026, 11, 23)
KEEP_DAYS = 10

T = TypeVar("T")


class Held(Database):
    """A database whose next write waits until it is let. Its transactions are real and are run here and now, without
    threads and without waiting for a disk."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._engine = create_engine(self._url, connect_args={"isolation_level": None, "check_same_thread": False})
        event.listen(self._engine, "connect", _set_pragmas)
        self.reached: asyncio.Event | None = None
        self.let: asyncio.Event | None = None

    def hold(self) -> None:
        self.reached, self.let = asyncio.Event(), asyncio.Event()

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        return self._run(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        if self.reached is not None and self.let is not None and not self.reached.is_set():
            self.reached.set()
            await self.let.wait()
        return self._run(work)

    async def alone(self, work: Callable[[Connection], T], *, wait_seconds: float = LOCK_SECONDS) -> T:
        return self._run(work)

    async def rewrite(self, tables: Sequence[Table]) -> bool:
        return True

    async def forget_deleted(self, tables: Sequence[Table] = ()) -> bool:
        return True

    async def close(self) -> None:
        self._engine.dispose()
        await super().close()

    def _run(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return work(connection)


def _set_pragmas(connection: DBAPIConnection, _entry: object) -> None:
    for pragma in ("foreign_keys=ON", "synchronous=OFF"):
        connection.cursor().execute(f"PRAGMA {pragma}")


@dataclass
class Worker:
    database: Held
    reports: Reports
    receipts: LiveReceipts


# ---- what is sent ----


@dataclass(frozen=True)
class Save:
    report: int


@dataclass(frozen=True)
class Open:
    report: int


@dataclass(frozen=True)
class Status:
    report: int


@dataclass(frozen=True)
class Change:
    report: int
    consent: str
    change_id: bytes


@dataclass(frozen=True)
class Add:
    report: int
    seed: bytes
    turn: int
    ending: int
    answers: Answers
    consent: str
    day: date


@dataclass(frozen=True)
class Withdraw:
    report: int


Message = Save | Open | Status | Change | Add | Withdraw
Changing = Change | Add | Withdraw


# ---- what must be so ----


@dataclass
class Hers:
    """A report, as its caller knows it. `added`: by id, the turn and the answers; `derived`: the grades of what is used
    of it."""

    ask: SaveReport
    seed: bytes
    day: date
    code: str
    receipt: bytes
    consent: str
    state: str = NEW
    is_expired: bool = False
    added: dict[bytes, tuple[int, Answers]] = field(default_factory=dict)
    derived: set[str] = field(default_factory=set)

    @property
    def id(self) -> bytes:
        return vault.derive_id(self.seed, "report bad_date", visit=1)

    @property
    def lives(self) -> bool:
        return not self.is_expired and self.state != TAKEN_BACK

    def expires(self) -> date:
        return self.day - timedelta(days=self.day.weekday()) + timedelta(days=KEEP_DAYS)


@dataclass
class Expected:
    """What every answer must be, and what must be there to read."""

    reports: list[Hers] = field(default_factory=list)
    claimed: set[bytes] = field(default_factory=set)

    def told(self, message: Message) -> object:
        """The answer to a message that is served now, and what it changes."""
        hers = self.reports[message.report]
        match message:
            case Save():
                return Saved(hers.code)
            case Open() if not hers.is_expired:
                return Opened(hers.receipt, "bad_date", is_gone=not hers.lives)
            case Status() if not hers.is_expired:
                return StatusIs(hers.state, hers.consent)
            case Change():
                return self._changed(hers, message)
            case Add():
                return self._added(hers, message)
            case Withdraw() if not hers.is_expired:
                hers.state, hers.consent = TAKEN_BACK, CONSENTS[0]
                hers.added.clear()
                hers.derived.clear()
                return Noted()
            case _:
                return Gone()

    def _changed(self, hers: Hers, message: Change) -> object:
        if message.change_id in self.claimed:
            return Noted()
        if not hers.lives:
            return Gone()
        self.claimed.add(message.change_id)
        hers.consent = message.consent
        hers.derived &= {*CONSENTS[: CONSENTS.index(message.consent) + 1]}
        return Noted()

    def _added(self, hers: Hers, message: Add) -> object:
        if not hers.lives:
            return NotSaved()
        addition_id = vault.addition_id(message.seed, "bad_date", hers.receipt, visit=1)
        turn = stored.turn_of_ending(message.ending) if message.ending else message.turn
        if turn > hers.added.get(addition_id, (0, ()))[0]:
            hers.added[addition_id] = turn, message.answers
        return Saved()

    def night(self, today: date) -> None:
        for hers in self.reports:
            if hers.expires() <= today:
                hers.is_expired = True
                hers.added.clear()
                hers.derived.clear()

    def readable(self) -> dict[bytes, tuple[str, Answers, bytes | None]]:
        """By id: what it may be used for, what it says, what it adds to."""
        return {
            one: (hers.consent, answers, adds_to)
            for hers in self.reports
            if hers.lives
            for one, answers, adds_to in (
                (hers.id, hers.ask.answers, None),
                *((added, said, hers.id) for added, (_, said) in hers.added.items()),
            )
        }

    def used(self) -> set[tuple[bytes, str]]:
        return {(vault.handle(hers.receipt), grade) for hers in self.reports for grade in hers.derived}


# ---- a line of two workers ----


@cache
def founded() -> tuple[Path, Pin]:
    """The file of a founded organisation's database."""
    folder = Path(mkdtemp(prefix="porchlight-founded-"))

    async def main() -> Pin:
        database = unhurried_database(f"sqlite:///{folder / 'porchlight.db'}")
        made = await found(database, now=datetime.combine(FIRST, time(12), UTC))
        await database.forget_deleted()
        await database.close()
        return made.pin

    return folder / "porchlight.db", asyncio.run(main())


class Street:
    """Two workers on one database, an advocate who reads there, and a clock."""

    def __init__(self, folder: Path, reports: type[Reports], receipts: type[LiveReceipts]) -> None:
        file, pin = founded()
        shutil.copy(file, folder / "porchlight.db")
        url, self.host = f"sqlite:///{folder / 'porchlight.db'}", HostKey.of(SECRET)
        self.pin, self.slow_hashes = pin, SlowHashes(quick)
        self.spool = unhurried_database(f"sqlite:///{folder / 'spool.db'}")
        spool, forms = Spool(self.spool), flow().forms
        self.workers = []
        for _ in range(2):
            database = Held(url)
            kept = reports(database, spool, host=self.host, pin=pin, slow_hashes=self.slow_hashes, save_seconds=60)
            opened = receipts(database, self.host, pin, self.slow_hashes, forms, seconds=60)
            self.workers.append(Worker(database, kept, opened))
        self.of = Office(self.workers[0].database, spool, pin, slow_hashes=self.slow_hashes)
        form = replace(forms["bad_date"], keep_days=KEEP_DAYS)
        self.clock = VirtualClock(datetime.combine(FIRST, time(12), ZoneInfo(flow().zone)))
        self.night = Night(self.of.database, self.host, pin, replace(flow(), forms={"bad_date": form}), self.clock)
        self.session: Session | None = None

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(ZoneInfo(flow().zone)).date()

    async def unlocked(self) -> Session:
        self.session = self.session or await self.of.session()
        return self.session

    async def send(self, worker: int, message: Message, hers: Hers) -> object:
        by = self.workers[worker]
        match message:
            case Save():
                return await by.reports.keep(hers.ask, seed=hers.seed, turn=9, today=hers.day)
            case Open():
                return await by.receipts.open(hers.code)
            case Status():
                return await by.receipts.status(hers.receipt)
            case Change(consent=consent, change_id=change_id):
                return await by.receipts.change_consent(hers.receipt, consent, change_id=change_id)
            case Add():
                ask = SaveReport("bad_date", 1, message.answers, message.consent, message.ending, hers.receipt)
                return await by.reports.keep(ask, seed=message.seed, turn=message.turn, today=message.day)
            case Withdraw():
                return await by.receipts.withdraw(hers.receipt)

    async def close(self) -> None:
        for worker in self.workers:
            await worker.reports.close()
            await worker.receipts.close()
            await worker.database.close()
        self.slow_hashes.close()
        await self.spool.close()
