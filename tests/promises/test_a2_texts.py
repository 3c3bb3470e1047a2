"""A2, of texts: two hours after its first text nothing is left of a conversation, and ten minutes after its end; nor of
a worker's claim to one, where that died. In the table, and in every byte behind it, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ivr.app import Rings
from ivr.engine.asks import SaveReport
from ivr.kit.clock import VirtualClock
from ivr.services.conversations import LONGEST, Conversations
from ivr.store import live
from ivr.store.database import Database
from ivr.store.live import STAYS
from tests.promises.house import logs_captured
from tests.promises.ledger import Record
from tests.promises.pacing import Metronome
from tests.promises.test_a2_live_rows import on_disk
from tests.promises.test_a2_time import JUST, MINUTE, NOON, built
from tests.promises.texting import Street, street
from tests.promises.traces import Traces
from tests.store.databases import KINDS, database_of

BEGINS = NOON + timedelta(minutes=29, seconds=30.5)


@dataclass
class Watch:
    """Every byte that was ever in a row, by whose it was; from when on nothing of it may be left; and what was."""

    rows: Traces = field(default_factory=Traces)
    due_at: dict[str, datetime] = field(default_factory=dict)
    owners: dict[bytes, int] = field(default_factory=dict)
    in_time: set[str] = field(default_factory=set)
    overdue: list[str] = field(default_factory=list)

    async def note(self, of: Street) -> None:
        self.owners |= {one: who for who in range(6) for one in of.names(who)}
        for row_id, body in await of.rows():
            self.rows.add(str(self.owners[row_id]), row_id, *([body] if body is not None else []))

    def is_due(self, who: int, at: datetime) -> None:
        self.due_at[str(who)] = at


@dataclass
class Stage:
    """A street, what is watched there, and how time passes."""

    of: Street
    watch: Watch
    pacing: Metronome

    async def writes(self, who: int, *texts: str) -> None:
        for words in texts:
            await self.of.writes(who, words)
            await self.watch.note(self.of)

    async def until(self, moment: datetime) -> None:
        self.of.clock.at = max(self.of.clock.at, moment - STAYS - MINUTE)  # nothing is due in between
        await self.pacing.until(moment)

    async def passes(self, span: timedelta) -> None:
        await self.until(self.of.clock.now() + span)


# ---- how conversations end ----


async def tells(stage: Stage, look: Callable[[], None]) -> None:
    """At half past, one says goodbye at once, one is silent; one writes on over the end of the hour and says goodbye
    then, one writes until the end; one stops; over one every worker dies that answers it, and it comes no more."""
    [worker] = stage.of.deadly
    worker.at, worker.is_final = SaveReport, False
    await stage.of.writes(5, "VOICE 1 2 1 # 1 1")
    await stage.of.exchange.quiet()
    await stage.watch.note(stage.of)
    worker.at = None
    began = stage.of.clock.now()
    stage.watch.is_due(5, began + STAYS)
    await stage.writes(0, "VOICE 1", "2 1 #", "BYE")
    stage.watch.is_due(0, began + STAYS)
    await stage.writes(1, "VOICE 1 2 1 #")
    stage.watch.is_due(1, began + LONGEST)
    for who in (2, 3):
        await stage.writes(who, "VOZ 1")
    stage.watch.is_due(3, began + LONGEST)
    await stage.writes(4, "VOICE", "STOP")
    stage.watch.is_due(4, began + STAYS)
    look()
    await stage.passes(STAYS + JUST)
    look()
    await stage.passes(timedelta(minutes=40))
    for who in (2, 3):
        await stage.writes(who, "2 1 #")
    await stage.writes(2, "ADIOS")
    stage.watch.is_due(2, stage.of.clock.now() + STAYS)
    await stage.passes(STAYS + JUST)
    look()
    await stage.passes(timedelta(minutes=50))
    await stage.writes(3, "1", "1")
    look()


async def watched(folder: Path, blank: Path, url: str, *, has_chores: bool = True, **parts: Any) -> Watch:
    """What they leave; a look just after each time is over."""
    clock, watch = VirtualClock(BEGINS), Watch()
    pacing = Metronome(clock)
    exchanged = parts.pop("exchanged", {})
    builder = partial(built, rings=Rings.of, pacing=pacing, **exchanged)
    async with street(folder, blank, live=url, clock=clock, builder=builder, workers=1, **parts) as of:
        stage = Stage(of, watch, pacing)
        if not has_chores:
            await _told_and_looked(stage, url, folder)
        else:
            async with pacing.at_work(*(one.router for one in of.houses)):
                await _told_and_looked(stage, url, folder)
    return watch


async def _told_and_looked(stage: Stage, url: str, folder: Path) -> None:
    await tells(stage, lambda: _look(stage, url, folder))
    for moment in sorted(set(stage.watch.due_at.values())):
        if stage.of.clock.now() < moment + JUST:
            await stage.until(moment + JUST)
            _look(stage, url, folder)
    if await stage.of.rows():
        stage.watch.overdue.append("rows in the end")


def _look(stage: Stage, url: str, folder: Path) -> None:
    now = stage.of.clock.now()
    found = stage.watch.rows.within(b"".join(on_disk(url, folder).values()))
    stage.watch.in_time |= {who for who in found if who not in stage.watch.due_at or now < stage.watch.due_at[who]}
    late = [who for who in sorted(found) if who in stage.watch.due_at and stage.watch.due_at[who] <= now]
    stage.watch.overdue += [f"a conversation of {who} at {now:%H:%M:%S}" for who in late]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:  # Any: of a generator
    with database_of(request.param, tmp_path) as found:
        yield f"sqlite:///{tmp_path / 'line' / 'live' / 'live.db'}" if request.param == "sqlite" else found


def test_nothing_is_left_of_a_conversation_when_its_time_is_over(
    tmp_path: Path, blank: Path, url: str, record: Record
) -> None:
    with logs_captured() as log:
        watch = asyncio.run(watched(tmp_path / "line", blank, url))
    record(len(watch.due_at), "text conversations followed to their end, in rows and in files")
    assert {"1", "3"} <= watch.in_time
    assert watch.overdue == []
    assert b"a chore failed" not in log()


# ---- mutants: each must be caught ----


class Sweepless(Conversations):
    """Forgets to forget."""

    async def sweep(self) -> None:
        """Not even this."""


class Late(Conversations):
    """Keeps whoever said goodbye as long as whoever did not."""

    async def _keep(self, claimed: Any, conversation: Any, *, is_last: bool = False) -> None:
        await super()._keep(claimed, conversation, is_last=is_last)
        ends = live.milliseconds(conversation.began_at + LONGEST)
        await self._write(lambda connection: connection.execute(live.conversations.update().values(until=ends)))


class Hoarding(Database):
    """Deletes, and wipes nothing."""

    async def forget_deleted(self, tables: Any = ()) -> bool:
        return True


@pytest.mark.parametrize(
    ("made_of", "seen"),
    [
        pytest.param(Sweepless, "rows in the end", id="a sweep that forgets"),
        pytest.param(Late, "a conversation of 0", id="a goodbye that changes nothing"),
    ],
)
def test_mutant_a_line_that_keeps_conversations_is_seen(
    made_of: type[Conversations], seen: str, tmp_path: Path, blank: Path
) -> None:
    live_rows = f"sqlite:///{tmp_path / 'line' / 'live' / 'live.db'}"
    watch = asyncio.run(watched(tmp_path / "line", blank, live_rows, exchanged={"texts_of": made_of}))
    assert any(seen in one for one in watch.overdue)


def test_mutant_a_line_that_deletes_rows_and_leaves_their_bytes_is_seen(tmp_path: Path, blank: Path, url: str) -> None:
    watch = asyncio.run(watched(tmp_path / "line", blank, url, database_of=Hoarding))
    assert "rows in the end" not in watch.overdue
    assert any("a conversation of" in one for one in watch.overdue)


def test_mutant_a_line_that_does_none_of_its_chores_is_seen(tmp_path: Path, blank: Path, url: str) -> None:
    watch = asyncio.run(watched(tmp_path / "line", blank, url, has_chores=False))
    assert "rows in the end" in watch.overdue
    assert any(f"a conversation of {who}" in one for one in watch.overdue for who in range(6))
