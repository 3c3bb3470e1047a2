"""Those who text, and the line they text with: one or more workers on one database of live rows, a clock that moves
only when it is told to, and a phone company that keeps what it was asked to send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

from ivr.carrier.rest import NoRest, Sending
from ivr.channels.texted import Texted, TextReply
from ivr.flow.graph import Flow
from ivr.kit.clock import VirtualClock
from ivr.services.conversations import Conversations
from ivr.services.rehearsal import Memory
from ivr.services.turns import World
from ivr.store import live
from ivr.store.database import Database
from ivr.vault.conversations import text_keys
from tests.founded import UNHURRIED, unhurried_database
from tests.shipped import flow as shipped
from tests.vault.test_keyring import NOON

LUZ, ROSA = "+12125550143", "+12125550144"
HOTLINE = "+15005550006"


@dataclass(slots=True)
class Company(NoRest):
    """What it was asked to send, in order; it may be out of order."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    answers: Sending = Sending.SENT

    async def text(self, to: str, words: str) -> Sending:
        if self.answers is not Sending.REFUSED:
            self.sent.append((to, words))
        return self.answers


@dataclass(slots=True)
class Texters:
    """`workers` answer texts by turns. `live`: what lies on disk."""

    workers: list[Conversations]
    live: Database
    clock: VirtualClock
    company: Company
    worlds: list[World]
    folder: Path
    ids: "count[int]" = field(default_factory=count)

    async def text(self, who: str, words: str, *, worker: int = 0, message_id: str = "") -> str:
        """The reply, or nothing."""
        before = len(self.company.sent)
        await self.deliver(who, words, worker=worker, message_id=message_id)
        replies = [told for to, told in self.company.sent[before:] if to == who]
        return replies[-1] if replies else ""

    async def deliver(self, who: str, words: str, *, worker: int = 0, message_id: str = "") -> TextReply:
        arrived = Texted(who, words, message_id or f"message {next(self.ids)}")
        return await self.workers[worker % len(self.workers)].answer(arrived)

    async def texts(self, who: str, *several: str) -> list[str]:
        return [await self.text(who, words) for words in several]

    async def rows(self) -> list[tuple[bytes, bytes | None]]:
        table = live.conversations
        return await self.live.read(lambda found: [(row.id, row.body) for row in found.execute(table.select())])

    def waits(self, span: timedelta) -> None:
        self.clock.advance(span)


@asynccontextmanager
async def texters(
    folder: Path,
    *,
    url: str = "",
    world: World | None = None,
    flow: Flow | None = None,
    workers: int = 1,
    made_of: type[Conversations] = Conversations,
) -> AsyncIterator[Texters]:
    """`made_of`: another may be damaged on purpose."""
    clock, company = VirtualClock(NOON), Company()
    databases = [unhurried_database(url or f"sqlite:///{folder / 'live.db'}") for _ in range(workers)]
    met = world if world is not None else Memory()

    async def pause(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)

    try:
        for database in databases:
            await database.furnish(live.create)
        yield Texters(
            [
                made_of(
                    database,
                    flow or shipped(),
                    met,
                    company,
                    clock,
                    text_keys(folder / "run"),
                    HOTLINE,
                    pause=pause,
                    limits=UNHURRIED,
                )
                for database in databases
            ],
            databases[0],
            clock,
            company,
            [met],
            folder,
        )
    finally:
        for database in databases:
            await database.close()
