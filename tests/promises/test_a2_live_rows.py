"""A2, of calls with a person: ten minutes after its end nothing is left of a transfer, and a minute after somebody has
taken it nothing of what the caller keyed; whoever told of the end, or nobody. In the tables, and in every byte behind
them, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, update

from ivr.app import Rings
from ivr.carrier.rest import Order
from ivr.kit.clock import VirtualClock
from ivr.services.transfers import LONGEST_TALK
from ivr.store import live
from ivr.store.database import Database
from tests.promises.house import House, house, logs_captured
from tests.promises.ledger import Record
from tests.promises.pacing import Metronome
from tests.promises.passing import Fickle, Leg
from tests.promises.requests import Request
from tests.promises.test_a2_time import JUST, MINUTE, NOON, built
from tests.promises.traces import Traces, files_in
from tests.store.databases import KINDS, database_of

STAYS = timedelta(minutes=10)
GONE = timedelta(seconds=15)
"""So long after she last asked a caller has gone, where nobody tells."""
BEGINS = NOON + timedelta(seconds=30.5)
PHONES = tuple(f"+1500555{n:04}" for n in range(100, 140))
REPORTS = ("1", "1", "1", "4", "#", "1", "1", "0")
"""Something to be told of her, then a person."""


@dataclass
class Scene:
    """A transfer, and when it was over as far as anybody can know. From `told_by` on nothing is left of what she
    keyed."""

    name: str
    over_at: datetime
    told_by: datetime


@dataclass
class Line:
    """A line whose phones are moved by hand, and every byte that was ever in a row of it."""

    of: House
    template: Leg
    rows: Traces = field(default_factory=Traces)
    told: Traces = field(default_factory=Traces)
    scenes: list[Scene] = field(default_factory=list)
    owners: dict[bytes, str] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.of.clock.now()

    @property
    def phones(self) -> Fickle:
        assert isinstance(self.of.parts.rest, Fickle)
        return self.of.parts.rest

    async def begins(self, name: str) -> tuple[Leg, list[Order]]:
        """Somebody reports and wants a person. Who is rung for her."""
        before = len(self.phones.placed)
        rosa = self.template.another(name)
        await rosa.post("https://line.example.org/voice/answer")
        for key in REPORTS:
            await rosa.press(key)
        await self.note(name)
        return rosa, self.phones.placed[before:]

    async def answers(self, name: str, order: Order, *keys: str) -> Leg:
        ana = self.template.another(f"{name}, ana", To=order.to.lstrip("+"), Direction="outbound")
        await ana.post(order.answer_url)
        for key in keys:
            await ana.press(key)
        await self.note(name)
        return ana

    def is_over(self, name: str, at: datetime, *, told_by: datetime | None = None) -> None:
        self.scenes.append(Scene(name, at, told_by or self.now + MINUTE))

    async def note(self, name: str) -> None:
        """What tells one call from another in the rows of this moment."""
        rows = await self.of.parts.live.read(_as_dicts)
        for row in rows["live_transfers"]:
            whose = self.owners.setdefault(row["id"], name)
            self.rows.add(f"{whose}: a transfer", row["id"], row["caller"], row["room"].encode())
            if row["told"]:
                self.told.add(f"{whose}: what she keyed", row["told"].encode())
        for row in rows["live_offers"]:
            ids = (row[one].encode() for one in ("request", "leg") if row[one])
            self.rows.add(f"{self.owners[row['transfer']]}: an offer", row["id"], *ids)


def _as_dicts(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [dict(row._mapping) for row in connection.execute(table.select())]
        for name, table in live.live.tables.items()
    }


# ---- what may become of a transfer ----


async def is_told(line: Line) -> None:
    """They talk, and both hang up."""
    rosa, orders = await line.begins("told")
    ana = await line.answers("told", orders[0], "3", "1")
    await rosa.silence()
    await ana.silence()
    await line.note("told")
    await ana.post(orders[0].hangup_url, Event="Hangup", CallStatus="completed")
    await rosa.post("https://line.example.org/voice/hangup", Event="Hangup", CallStatus="completed")
    line.is_over("told", line.now)


async def is_never_told(line: Line) -> None:
    """Phones ring for her, and nothing more is heard of anybody."""
    await line.begins("ringing")
    line.is_over("ringing", line.now, told_by=line.now + GONE + MINUTE)


async def is_taken_and_never_told(line: Line) -> None:
    _, orders = await line.begins("taken")
    await line.answers("taken", orders[0], "1")
    line.is_over("taken", line.now)


async def is_dialled(line: Line) -> None:
    line.phones.works = False
    await line.begins("dialled")
    line.phones.works = True
    line.is_over("dialled", line.now)


async def is_talked_and_never_told(line: Line) -> None:
    """As far as anybody can know they talk on, as long as a talk may last."""
    rosa, orders = await line.begins("talking")
    ana = await line.answers("talking", orders[0], "1")
    await rosa.silence()
    await ana.silence()
    await line.note("talking")
    line.is_over("talking", line.now + LONGEST_TALK)


SCENES = (is_told, is_never_told, is_taken_and_never_told, is_talked_and_never_told, is_dialled)


@asynccontextmanager
async def manned(folder: Path, clock: VirtualClock, **parts: Any) -> AsyncIterator[Line]:
    async with house(folder, clock=clock, rest=Fickle(works=True), on_duty=PHONES, **parts) as of:
        rosa = await of.line(seed=f"template {parts.get('blank')}").call()
        await rosa.press("9")
        first = rosa.exchange[1]

        async def unseen(_request: Request) -> None:
            """Nobody looks."""

        yield Line(of, Leg(of, unseen, dict(first.headers), dict(first.fields)))


# ---- a watch over all of it ----


def on_disk(url: str, folder: Path) -> dict[str, bytes]:
    """Every byte behind the live tables: the file and its log, or the server's own files, indexes included."""
    if url.startswith("sqlite"):
        return {name: content for name, content in files_in(folder).items() if "live.db" in name}
    with psycopg.connect(url, autocommit=True) as server:
        with suppress(psycopg.errors.UniqueViolation):  # somebody else's tests do the same at this moment
            try:
                server.execute("CREATE EXTENSION IF NOT EXISTS pageinspect SCHEMA public")
            except (psycopg.errors.UndefinedFile, psycopg.errors.InsufficientPrivilege) as error:
                pytest.skip(f"the pages of this PostgreSQL cannot be read ({type(error).__name__}): NOT searched")
        found = {}
        for name, pages in server.execute(_FILES, (list(live.live.tables),)).fetchall():
            for page in range(pages):
                read = server.execute("SELECT public.get_raw_page(%s, %s)", (name, page)).fetchone()
                assert read is not None
                found[f"{name}, {page}"] = bytes(read[0])
    return found


_FILES = """
    SELECT one.relname::text, pg_relation_size(one.oid) / 8192 FROM pg_class one
    LEFT JOIN pg_index ON pg_index.indexrelid = one.oid JOIN pg_class own ON own.oid = coalesce(indrelid, one.oid)
    WHERE one.relnamespace = current_schema()::regnamespace AND own.relname = ANY(%s)
"""
"""The server's pages as they are, in its memory or on its disk: of an unlogged table the latter comes late."""


@dataclass
class Found:
    """What was there in time, and what was there too long."""

    in_time: set[str] = field(default_factory=set)
    overdue: list[str] = field(default_factory=list)


async def watched(folder: Path, blank: Path, url: str, *, has_chores: bool = True, **parts: Any) -> Found:
    """Each scene at once, one of them on a worker that dies then; a look just after what is left of each is due."""
    clock, found = VirtualClock(BEGINS), Found()
    pacing = Metronome(clock)
    parts = {"live": url, "builder": partial(built, rings=Rings.of, pacing=pacing)} | parts
    async with manned(folder, clock, blank=blank, **parts) as line:
        async with manned(folder, clock, **parts) as dying:
            dying.rows, dying.told, dying.owners = line.rows, line.told, line.owners
            await dying.begins("of a worker that died")
        line.is_over("of a worker that died", clock.now(), told_by=clock.now() + GONE + MINUTE)
        for scene in SCENES:
            await scene(line)
        looks = {moment for one in line.scenes for moment in (one.told_by + JUST, one.over_at + STAYS + JUST)}
        found.in_time |= line.rows.within(b"".join(on_disk(url, folder).values()))
        async with AsyncExitStack() as stack:
            if has_chores:
                await stack.enter_async_context(pacing.at_work(line.of.router))
            for moment in sorted(looks):
                clock.at = max(clock.at, moment - 12 * MINUTE)  # nothing is due in between
                await pacing.until(moment)
                await _look(line, moment, url, folder, found)
    return found


async def _look(line: Line, now: datetime, url: str, folder: Path, found: Found) -> None:
    rows = (await line.of.live_rows())["live_transfers"]
    living = [one for one in line.scenes if now < one.over_at + STAYS]
    if len(rows) > len(living):
        found.overdue.append(f"{len(rows) - len(living)} rows at {now:%H:%M:%S}")
    content = b"".join(on_disk(url, folder).values())
    due = {one.name for one in line.scenes if one not in living}
    told = {one.name for one in line.scenes if one.told_by <= now}
    left = [one for one in line.rows.within(content) if one.partition(":")[0] in due]
    left += [one for one in line.told.within(content) if one.partition(":")[0] in told]
    found.overdue += [f"{one} at {now:%H:%M:%S}" for one in sorted(left)]


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:  # Any: of a generator
    with database_of(request.param, tmp_path) as found:
        yield f"sqlite:///{tmp_path / 'line' / 'live' / 'live.db'}" if request.param == "sqlite" else found


def test_nothing_is_left_of_a_transfer_ten_minutes_after_its_end_whoever_told_of_it(
    tmp_path: Path, blank: Path, url: str, record: Record
) -> None:
    with logs_captured() as log:
        found = asyncio.run(watched(tmp_path / "line", blank, url))
    record(len(SCENES) + 1, "transfers followed to their end, in rows and in files")
    assert {one.partition(":")[0] for one in found.in_time} >= {"told", "ringing", "taken", "talking", "dialled"}
    assert found.overdue == []
    assert b"a chore failed" not in log()


# ---- mutants: each must be caught ----


def test_mutant_a_line_that_never_sweeps_is_seen(tmp_path: Path, blank: Path, url: str) -> None:
    found = asyncio.run(watched(tmp_path / "line", blank, url, has_chores=False))
    assert any("rows at" in one for one in found.overdue)
    assert any("a transfer at" in one for one in found.overdue)
    assert any("what she keyed at" in one for one in found.overdue)


def test_mutant_a_sweep_that_only_marks_is_seen(
    tmp_path: Path, blank: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def marks(connection: Connection, **_moments: int) -> int:
        return connection.execute(update(live.transfers).values(state="over", told=None)).rowcount

    monkeypatch.setattr(live, "sweep", marks)  # no constructor takes it
    found = asyncio.run(watched(tmp_path / "line", blank, url))
    assert any("rows at" in one for one in found.overdue)


class Hoarding(Database):
    """Deletes, and wipes nothing."""

    async def forget_deleted(self, tables: Any = ()) -> bool:
        return True


def test_mutant_a_line_that_deletes_rows_and_leaves_their_bytes_is_seen(tmp_path: Path, blank: Path, url: str) -> None:
    found = asyncio.run(watched(tmp_path / "line", blank, url, database_of=Hoarding))
    assert not any("rows at" in one for one in found.overdue)
    assert any("a transfer at" in one for one in found.overdue)
    assert any("what she keyed at" in one for one in found.overdue)


def test_mutant_a_sweep_that_is_a_minute_late_is_seen(
    tmp_path: Path, blank: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "STAYS", STAYS + MINUTE)
    found = asyncio.run(watched(tmp_path / "line", blank, url))
    assert any("rows at" in one for one in found.overdue)
