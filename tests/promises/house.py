"""A whole line in a folder of its own: the composition root, the shipped flow, real SQLite, real keys, the loopback
carrier over ASGI, and a clock that moves only when it is told to."""

import io
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, MetaData, select, update
from starlette.routing import Router

from ivr import logs
from ivr.app import Parts, WorldOf, build
from ivr.carrier.loopback import Line
from ivr.carrier.rest import NoRest, Rest
from ivr.carrier.transport import AsgiApp, AsgiTransport, Transport
from ivr.engine.asks import (
    Answer,
    Ask,
    AskStatus,
    ChangeConsent,
    Gone,
    Nobody,
    NotNow,
    NotSaved,
    Opened,
    OpenReceipt,
    Ring,
    Saved,
    SaveReport,
    Withdraw,
)
from ivr.engine.call import Call
from ivr.flow.graph import Flow
from ivr.kit.clock import VirtualClock
from ivr.services.archive import OpenReport
from ivr.services.spool import Spool
from ivr.services.turns import World
from ivr.store.database import Database, StoreUnavailable
from ivr.store.live import create, offers
from ivr.store.live import live as live_tables
from ivr.store.tables import metadata
from ivr.vault import organisation
from tests.founded import SECRET, UNHURRIED, Office, found, unhurried_database
from tests.shipped import flow as shipped
from tests.shipped import staff

PROVE = 20 if os.environ.get("PROVE") else 1
"""How many times the small sizes are run."""

PUBLIC_URL = "https://line.example.org"
AUTH_TOKEN = "Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4"
HOTLINE = "+15005550006"
ON_DUTY = ("+15005550001", "+15005550002")
BEGINNING = datetime(2027, 3, 10, 17, 0, 30, tzinfo=UTC)
"""A Wednesday, noon in New York, and half a minute into a period of the seed keys."""


@dataclass(slots=True)
class Moody:
    """The live world, whose disk and phones may be out of order. `asked`: everything it was asked."""

    live: World | None = None
    disk_fails: bool = False
    nobody: bool = False
    opens: str = ""
    """A receipt that nobody was told: with it a caller comes back to a report that is made for her."""
    codes: dict[bytes, str] = field(default_factory=dict)
    asked: list[Ask] = field(default_factory=list)

    def before(self, live: World) -> "Moody":
        self.live = live
        return self

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        self.asked.append(ask)
        if isinstance(ask, SaveReport) and self.disk_fails:
            return NotSaved()
        if isinstance(ask, AskStatus | ChangeConsent | Withdraw) and self.disk_fails:
            return NotNow()
        if isinstance(ask, OpenReceipt) and self.opens == ask.code:
            return Gone() if self.disk_fails else await self._opened(ask, call, leg)
        if isinstance(ask, Ring) and self.nobody:
            return Nobody()
        assert self.live is not None, "it stands before a world"
        return await self.live.answer(ask, call, leg)

    async def _opened(self, ask: OpenReceipt, call: Call, leg: bytes) -> Answer:
        assert self.live is not None, "it stands before a world"
        code = self.codes.get(call.seed, "")
        found = await self._looked_up(code, call, leg) if code else None
        if isinstance(found, Opened) and not found.is_gone:
            return found  # the same report again in the same call
        before = SaveReport("bad_date", 1, (("what", ("taken",)),), "pass_on", ending=1)
        another = msgspec.structs.replace(call, seed=len(self.asked).to_bytes(16))
        kept = await self.live.answer(before, another, leg)
        assert isinstance(kept, Saved), "the disk is there"
        assert kept.receipt is not None, "its form has ended"
        self.codes[call.seed] = kept.receipt
        return await self._looked_up(kept.receipt, call, leg)

    async def _looked_up(self, code: str, call: Call, leg: bytes) -> Answer:
        assert self.live is not None, "it stands before a world"
        answer: Answer = NotNow()
        for _ in range(20):  # on a busy machine look-ups give way to everything else
            answer = await self.live.answer(OpenReceipt(code, has_waited=True), call, leg)
            if not isinstance(answer, NotNow):
                break
        return answer


@dataclass(slots=True)
class House:
    """One line. `app` is its door; `mood` is set where the world was wrapped."""

    folder: Path
    clock: VirtualClock
    parts: Parts
    database: Database
    app: AsgiApp
    router: Router
    mood: Moody
    kept: Office

    @property
    def keys(self) -> Path:
        return self.folder / "run"

    def line(self, *, transport: Transport | None = None, hangup: bool = True, **changes: Any) -> Line:
        """A phone number that leads to this line. `changes` are whatever Line takes."""
        settings: dict[str, Any] = {
            "answer_url": f"{PUBLIC_URL}/voice/answer",
            "hangup_url": f"{PUBLIC_URL}/voice/hangup" if hangup else None,
            "token": AUTH_TOKEN,
            "transport": transport or AsgiTransport(self.app),
            "clock": self.clock,
            "to": HOTLINE,
        }
        return Line(**(settings | changes))

    async def rows(self) -> dict[str, list[Any]]:
        """Everything in the database."""
        return await self.database.read(lambda connection: _everything(connection, metadata))

    async def live_rows(self) -> dict[str, list[Any]]:
        """Everything that is known of calls in progress."""
        return await self.parts.live.read(lambda connection: _everything(connection, live_tables))

    async def reports(self) -> list[OpenReport]:
        """Every report, opened with the advocate's passphrase."""
        return await self.kept.read_all()

    def files(self) -> dict[str, bytes]:
        """Every byte this line keeps on disk, by path."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


async def rested(of: House) -> None:
    """As if no phone had rung: a walk rings far more often than the limits of ringing allow."""
    await of.parts.live.write(lambda connection: connection.execute(update(offers).values(rung_at=None)).close())


def _everything(connection: Connection, tables: MetaData) -> dict[str, list[Any]]:
    return {
        name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
        for name, table in tables.tables.items()
    }


async def initialised(folder: Path) -> None:
    """A line's database as `ivr init` leaves it."""
    database = Database(f"sqlite:///{folder / 'porchlight.db'}")
    try:
        made = await found(database, now=BEGINNING)
        (folder / "organisation-key").write_text(organisation.written(made.pin))
    finally:
        await database.close()
    spool = Database(f"sqlite:///{folder / 'spool.db'}")
    try:
        await spool.migrate()
    finally:
        await spool.close()


Builder = Callable[[Parts, VirtualClock, WorldOf], Router]


@asynccontextmanager
async def house(
    folder: Path,
    *,
    blank: Path | None = None,
    builder: Builder = build,
    wrapped: Callable[[AsgiApp], AsgiApp] = lambda app: app,
    database_of: Callable[[str], Database] = unhurried_database,
    world_of: Callable[[World], World] = lambda world: world,
    flow: Flow | None = None,
    on_duty: tuple[str, ...] = ON_DUTY,
    clock: VirtualClock | None = None,
    rest: Rest | None = None,
    live: str = "",
) -> AsyncIterator[House]:
    """A line in `folder`. `blank`: an initialised database to copy; without it, another worker of the line there.
    `live`: where its live rows lie, if not beside it."""
    clock = clock or VirtualClock(BEGINNING)
    _furnish(folder, blank)
    database = database_of(f"sqlite:///{folder / 'porchlight.db'}")
    spool = database_of(f"sqlite:///{folder / 'spool.db'}")
    pin = organisation.read_pin((folder / "organisation-key").read_text())
    parts = Parts(
        flow=flow or shipped(),
        staff=staff(),
        database=database,
        spool=spool,
        live=database_of(live or f"sqlite:///{folder / 'live' / 'live.db'}"),
        secret=SECRET,
        pin=pin,
        carrier_token=AUTH_TOKEN,
        public_url=PUBLIC_URL,
        number=HOTLINE,
        keys=folder / "run",
        recordings=folder / "audio",
        duty_numbers=on_duty,
        rest=rest or NoRest(),
        limits=UNHURRIED,
    )
    kept = Office(database, Spool(spool), pin, now=clock.now())
    with suppress(StoreUnavailable):  # on a full disk it is furnished later
        await parts.live.furnish(create)
    mood = Moody()
    router = builder(parts, clock, lambda world: world_of(mood.before(world)))
    try:
        yield House(folder, clock, parts, database, wrapped(router), router, mood, kept)
    finally:
        kept.slow_hashes.close()
        await parts.live.close()
        await spool.close()
        await database.close()


def _furnish(folder: Path, blank: Path | None) -> None:
    folder.mkdir(exist_ok=True)
    if blank is not None:
        for name in ("porchlight.db", "spool.db", "organisation-key"):
            shutil.copy(blank / name, folder / name)


@contextmanager
def logs_captured() -> Iterator[Callable[[], bytes]]:
    """Logging as `ivr serve` sets it up, and what it has written so far, other output of the process included."""
    raw = io.BytesIO()
    stdout, stderr = sys.stdout, sys.stderr
    captured = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    sys.stdout = sys.stderr = captured
    try:
        logs.set_up()
        yield raw.getvalue
    finally:
        sys.stdout, sys.stderr = stdout, stderr
        captured.detach()
        structlog.reset_defaults()
