"""A line with keys, as `ivr init` leaves it, and what works with it: for tests of services and promises."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ivr.kit.time_limits import TimeLimits
from ivr.services.archive import Archive, OpenReport
from ivr.services.by_receipt import LiveReceipts
from ivr.services.custody import founding, sessions
from ivr.services.custody.founding import Founded
from ivr.services.custody.sessions import Session
from ivr.services.custody.trust import LineKeys, line_keys_of
from ivr.services.receipts import SlowHashes
from ivr.services.reports import Reports
from ivr.services.spool import Spool
from ivr.store.database import Database
from ivr.vault.advocates import Effort
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin
from ivr.vault.recovery import Share
from tests.shipped import flow
from tests.store.databases import database_of

SECRET = b"6d1f0c9a7be24588a3f21c60d97e54b1"
PASSPHRASE = "a correct horse, a battery"
CHEAP = Effort(passes=1, memory=8192)
UNHURRIED = TimeLimits(**{limit.name: 900.0 for limit in fields(TimeLimits)})
"""For tests that are not about time limits: on a busy machine, real ones would end what happens in virtual time."""
PATIENT_SECONDS = UNHURRIED.save


def unhurried_database(url: str) -> Database:
    """A database whose transactions wait for each other as long as a busy machine takes."""
    return Database(url, wait_seconds=UNHURRIED.save)


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""A Sunday."""


async def found(
    database: Database, *, lead: str = "ana", secret: bytes = SECRET, now: datetime = NOW, demo: bool = False
) -> Founded:
    """An organisation, in a database that may still be empty."""
    await database.migrate()
    return await founding.found(
        database, secret=secret, lead=lead, passphrase=PASSPHRASE, now=now, demo=demo, effort=CHEAP
    )


@dataclass
class Office:
    """What a line keeps its reports with, and who reads them."""

    database: Database
    spool: Spool
    pin: Pin
    shares: tuple[Share, ...] = ()
    host: HostKey = field(default_factory=lambda: HostKey.of(SECRET))
    now: datetime = NOW
    slow_hashes: SlowHashes = field(default_factory=SlowHashes)

    @property
    def archive(self) -> Archive:
        return Archive(self.database, self.pin)

    def reports(self, *, host: HostKey | None = None, save_seconds: float = PATIENT_SECONDS) -> Reports:
        """Another worker of this line."""
        return Reports(
            self.database,
            self.spool,
            host=host or self.host,
            pin=self.pin,
            slow_hashes=self.slow_hashes,
            save_seconds=save_seconds,
        )

    def receipts(self, *, seconds: float = PATIENT_SECONDS) -> LiveReceipts:
        """What callers of another worker do with their receipts."""
        return LiveReceipts(
            self.database,
            self.host,
            self.pin,
            self.slow_hashes,
            flow().forms,
            seconds=seconds,
        )

    async def line_keys(self) -> LineKeys:
        """What only the line's process holds."""
        return await line_keys_of(self.database, self.host, self.pin)

    async def session(self, name: str | None = None, passphrase: str = PASSPHRASE) -> Session:
        return await sessions.unlock(self.database, pin=self.pin, passphrase=passphrase, now=self.now, name=name)

    async def read_all(self, session: Session | None = None) -> list[OpenReport]:
        """Every report, opened by its only advocate if nobody else is named."""
        session = session or await self.session()
        found: list[OpenReport] = []
        after = b""
        while page := await self.archive.page(after):
            after = page[-1].id
            opened = [await self.archive.read(listed.id, session) for listed in page]
            found += [one for one in opened if one is not None]
        return found


@asynccontextmanager
async def office(url: str, folder: Path, *, wait_seconds: float = UNHURRIED.save) -> AsyncIterator[Office]:
    """An organisation, founded on the database at `url`, whose spool lies in `folder`. `wait_seconds`: how long each of
    the two waits for whoever holds its lock."""
    database, spooled = (Database(one, wait_seconds=wait_seconds) for one in (url, f"sqlite:///{folder / 'spool.db'}"))
    try:
        made = await found(database)
        spool = Spool(spooled)
        await spool.open()
        of = Office(database, spool, made.pin, made.shares)
        yield of
        of.slow_hashes.close()
    finally:
        await spooled.close()
        await database.close()


def in_office(
    folder: Path,
    main: Callable[[Office], Coroutine[Any, Any, None]],
    *,
    kind: str = "sqlite",
    wait_seconds: float = UNHURRIED.save,
) -> None:
    """What happens in an office of its own, on a database of this kind."""

    async def run(url: str) -> None:
        async with office(url, folder, wait_seconds=wait_seconds) as of:
            await main(of)

    with database_of(kind, folder) as url:
        asyncio.run(run(url))
