"""R3, where there is no room: a burst of texts and calls does not fill the run folder, and where something else fills
it, or the data disk, or /tmp, every caller hears words and a way on. Once there is room again all is well within a
minute, without a restart."""

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ivr.app import Rings
from ivr.store.database import Database
from ivr.store.room import MOST_PAGES, PAGE
from tests.promises.burst import MINUTE, REPORTS, SECOND, Line, is_led_on, line, sender, words_of
from tests.promises.house import logs_captured
from tests.promises.ledger import Record
from tests.promises.passing import Leg
from tests.small_disk import SmallDisk, small_disk

RUN_MEGABYTES = 32
"""As the compose file has it."""
DATA_MEGABYTES = 8
TEXTS, CALLERS = 1_000, 200
LONGEST_LOG = 2 * MOST_PAGES * PAGE
"""Bytes: what is emptied at, and the commit that comes then."""

pytestmark = pytest.mark.timeout(600)


async def burst(of: Line, *, texts: int, callers: int, seconds: int = 60, hears: str = "What happened") -> list[str]:
    """So many texts and callers who press 0 within some seconds; each of these holds the line. What was wrong."""
    wrong: list[str] = []
    waiting: list[Leg] = []
    written = 0
    for second in range(seconds):
        while written < texts * (second + 1) // seconds:
            written += 1
            status, told = await of.texts(sender(written), "VOICE 1")
            if status != 200 or hears not in told:
                wrong.append(f"text {written}: {status} {told}")
        while len(waiting) < callers * (second + 1) // seconds:
            waiting.append(await of.calls("1", "0"))
        for n, caller in enumerate(waiting):
            if n % 7 == second % 7:
                await caller.silence()
            if not is_led_on(caller):
                wrong.append(f"caller {n} hears {caller.document}")
        await of.passes(SECOND)
    return wrong


async def is_well(of: Line, n: int) -> list[str]:
    """Whether a report is saved, a text answered, and somebody rung. What is wrong."""
    await of.passes(MINUTE)
    report, (_, told) = await of.calls(*REPORTS), await of.texts(sender(n), "VOICE 1")
    before = len(of.phones.placed)
    await of.calls("1", "0")
    found = {"a report": "report is saved" in words_of(report), "a text": "What happened" in told}
    return [name for name, is_good in (found | {"a ring": len(of.phones.placed) > before}).items() if not is_good]


def test_a_burst_of_texts_and_calls_is_answered_and_a_call_walks_on(
    tmp_path: Path, blank: Path, record: Record
) -> None:
    async def main(disk: SmallDisk) -> None:
        async with line(tmp_path / "line", blank, disk) as of:
            assert await burst(of, texts=TEXTS, callers=CALLERS) == []
            assert (disk.path / "live.db-wal").stat().st_size <= LONGEST_LOG
            report = await of.calls(*REPORTS)
            assert "report is saved" in words_of(report)
            await of.passes(11 * MINUTE)
            await report.press("1")
            assert "part of town" in words_of(report)
            assert await is_well(of, 0) == []

    record(TEXTS + CALLERS, "texts and calls within a minute")
    with small_disk(tmp_path / "line" / "run", megabytes=RUN_MEGABYTES) as disk, logs_captured() as log:
        asyncio.run(main(disk))
    assert b"failed" not in log()


class Unlimited(Database):
    """Live rows whose log grows until somebody empties it."""

    async def limit(self) -> None:
        """Not even this."""


@pytest.mark.parametrize(("database_of", "is_seen"), [(Database, False), (Unlimited, True)])
def test_mutant_a_log_that_nobody_empties_is_seen(
    database_of: type[Database], is_seen: bool, tmp_path: Path, blank: Path
) -> None:
    async def main(disk: SmallDisk) -> bool:
        async with line(tmp_path / "line", blank, disk, database_of=database_of) as of:
            await burst(of, texts=120, callers=0, seconds=20, hears="")
            return (disk.path / "live.db-wal").stat().st_size > LONGEST_LOG

    with small_disk(tmp_path / "line" / "run", megabytes=RUN_MEGABYTES) as disk:
        assert asyncio.run(main(disk)) == is_seen


def test_in_a_folder_that_is_too_small_texts_are_told_to_call_and_calls_go_on(tmp_path: Path, blank: Path) -> None:
    async def main(disk: SmallDisk) -> None:
        async with line(tmp_path / "line", blank, disk) as of:
            assert await burst(of, texts=150, callers=30, seconds=20, hears="text +") == []
            _, told = await of.texts(sender(1_000), "VOICE 1")
            assert not disk.is_mounted or ("More people are texting" in told and "mensajes" in told)
            assert "report is saved" in words_of(await of.calls(*REPORTS))

    with small_disk(tmp_path / "line" / "run", megabytes=1) as disk, logs_captured() as log:
        asyncio.run(main(disk))
    assert b"failed" not in log()


# ---- something else fills it ----

PLACES = [
    *(pytest.param(place, True, id=place) for place in ("run", "data", "tmp", "everything")),
    *(pytest.param(place, False, id=f"{place}, imitated") for place in ("run", "data")),
]
"""Which disk is full, and whether it really is: where nothing can be mounted, every one of them is imitated."""


def disks(stack: ExitStack, folder: Path, *, mounted: bool) -> dict[str, SmallDisk]:
    """Of a line in this folder: the data disk, the run folder on another, and /tmp."""
    sizes = {"data": (folder / "line", DATA_MEGABYTES), "run": (folder / "line" / "run", RUN_MEGABYTES)}
    sizes["tmp"] = (folder / "tmp", 1)
    return {
        name: stack.enter_context(small_disk(path, megabytes=megabytes, mounted=mounted))
        for name, (path, megabytes) in sizes.items()
    }


def on(found: dict[str, SmallDisk]) -> dict[str, Any]:
    """A line on these disks, as `line` takes it."""
    run, data = found["run"], found["data"]
    return {
        "disk": run,
        "database_of": lambda url: (run if "live.db" in url else data).database_of(url),
    }


async def _full(of: Line, full: list[SmallDisk]) -> list[str]:
    """Half an hour without room: keys of three periods are needed meanwhile. What was wrong."""
    wrong: list[str] = []
    report, holding = await of.calls(*REPORTS[:-1]), await of.calls("1", "0")
    await of.texts(sender(1), "VOICE 1")
    for n in range(6):
        for disk in full:
            disk.fill()  # also what was given back meanwhile
        caller, (status, told) = await of.calls("1"), await of.texts(sender(100 + n), "VOICE 1")
        if "report" not in words_of(caller):
            wrong.append(f"no menu in round {n}: {words_of(caller)}")
        if status != 200 or not told:
            wrong.append(f"a text is answered with {status} {told!r}")
        await caller.press("0")
        await holding.silence()
        await report.press("1")
        status, told = await of.texts(sender(1), "1")
        wrong += [f"a dead end: {one.document}" for one in (caller, holding, report) if not is_led_on(one)]
        wrong += [f"no words: {one.document}" for one in (caller, report) if not words_of(one)]
        if status != 200 or not told:
            wrong.append(f"a running conversation is answered with {status} {told!r}")
        await of.passes(5 * MINUTE)
    return wrong


@pytest.mark.parametrize(("place", "mounted"), PLACES)
def test_where_there_is_no_room_everybody_hears_words_and_a_way_on_and_a_minute_after_it_all_is_well(
    place: str, mounted: bool, tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    async def main(stack: ExitStack) -> None:
        found = disks(stack, tmp_path, mounted=mounted)
        full = list(found.values()) if place == "everything" else [found[place]]
        async with line(tmp_path / "line", blank, **on(found)) as of:
            await of.passes(MINUTE)
            assert await is_well(of, 50) == []
            assert await _full(of, full) == []
            for disk in full:
                disk.make_room()
            assert await is_well(of, 51) == []

    record(1, "disks that were full")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with ExitStack() as stack, logs_captured() as log:
        asyncio.run(main(stack))
        assert b"Traceback" not in log()


@pytest.mark.parametrize("mounted", [True, False], ids=["", "imitated"])
@pytest.mark.parametrize("was_there", [True, False], ids=["after a restart", "for the first time"])
def test_a_line_begins_though_its_run_folder_is_full_and_is_well_a_minute_after_there_is_room(
    was_there: bool, mounted: bool, tmp_path: Path, blank: Path
) -> None:
    async def main(stack: ExitStack) -> None:
        found = disks(stack, tmp_path, mounted=mounted)
        if was_there:
            async with line(tmp_path / "line", blank, **on(found)) as before:
                await before.passes(MINUTE)
        found["run"].fill()
        async with line(tmp_path / "line", None if was_there else blank, **on(found)) as of:
            for keys in ((), ("1",), ("1", "0")):
                caller = await of.calls(*keys) if was_there else await of.calls()
                assert words_of(caller)
                assert is_led_on(caller)
            found["run"].make_room()
            assert await is_well(of, 51) == []

    with ExitStack() as stack, logs_captured() as log:
        asyncio.run(main(stack))
        assert b"Traceback" not in log()


# ---- mutants: each must be caught ----


def _without_spares(rings: Rings) -> Rings:
    for ring in (rings.seeds, rings.tokens, rings.texts):
        ring.prepare = ring.sweep  # type: ignore[method-assign]  # as it was
    return rings


def test_mutant_a_ring_that_makes_each_key_when_it_is_needed_is_seen(tmp_path: Path, blank: Path) -> None:
    async def main(disk: SmallDisk) -> list[str]:
        made = lambda folder: _without_spares(disk.rings(folder))  # noqa: E731
        async with line(tmp_path / "line", blank, disk, rings=made) as of:
            return await _full(of, [disk])

    with small_disk(tmp_path / "line" / "run", megabytes=2) as disk:
        assert any("no menu" in one for one in asyncio.run(main(disk)))
