"""What a serving line does by itself: its chores begin with it, go on when one fails, and tell nothing of a call."""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from ivr.engine.asks import Opened, Saved, SaveReport
from ivr.services.world import LiveWorld
from ivr.store.database import Database
from tests.promises.faults import Away
from tests.promises.house import BEGINNING, House, house, initialised, logs_captured

REPORT = SaveReport(form="bad_date", visit=1, answers=(("what", ("taken",)),), consent="pass_on", ending=1)


def with_house(folder: Path, main: Callable[[House], Coroutine[Any, Any, None]], **parts: Any) -> None:
    async def run() -> None:
        (folder / "blank").mkdir()
        await initialised(folder / "blank")
        async with house(folder / "line", blank=folder / "blank", **parts) as of:
            await main(of)

    asyncio.run(run())


async def spooled(of: House) -> str:
    """A report that another worker left in the spool when it died; its receipt."""
    away = type(of.kept)(Away(f"sqlite:///{of.folder / 'porchlight.db'}"), of.kept.spool, of.kept.pin)
    kept = away.reports()
    kept._desk = await of.database.read(
        lambda found: kept._load(found, BEGINNING.date())
    )  # as it was before the database went away
    saved = await kept.keep(REPORT, seed=b"s" * 16, turn=3, today=BEGINNING.date())
    assert isinstance(saved, Saved)
    await kept.close()
    away.slow_hashes.close()
    assert not await of.kept.spool.is_empty()
    return saved.receipt or ""


async def until(true: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(20):
        while not await true():  # noqa: ASYNC110 a chore tells nobody when it is done
            await asyncio.sleep(0)


@pytest.mark.parametrize("left_behind", [False, True])
def test_a_line_that_begins_to_serve_brings_home_what_waited(tmp_path: Path, left_behind: bool) -> None:
    async def main(of: House) -> None:
        if left_behind:
            await spooled(of)
        async with of.router.lifespan_context(of.router):
            await until(of.kept.spool.is_empty)
            assert len(await of.reports()) == left_behind

    with_house(tmp_path, main)


def test_a_receipt_opens_what_waits_though_no_chore_has_brought_it_home(tmp_path: Path) -> None:
    async def main(of: House) -> None:
        code = await spooled(of)
        assert isinstance(of.mood.live, LiveWorld)
        found = await of.mood.live.receipts.open(code)
        assert isinstance(found, Opened)
        assert await of.kept.spool.is_empty()

    with_house(tmp_path, main)


def test_the_files_tell_when_the_line_was_last_up_and_not_when_a_report_came(tmp_path: Path) -> None:
    async def main(of: House) -> None:
        files = [of.folder / "porchlight.db", of.folder / "spool.db"]
        long_ago = 1_000_000_000
        for file in files:
            os.utime(file, (long_ago, long_ago))
        async with of.router.lifespan_context(of.router):

            async def blurred() -> bool:
                return all(file.stat().st_mtime > long_ago + 1 for file in files)

            await until(blurred)

    with_house(tmp_path, main)


@pytest.mark.parametrize("waiting", [False, True])
def test_while_the_database_is_away_the_log_says_so_and_the_same_whether_or_not_a_report_waits(
    tmp_path: Path, waiting: bool
) -> None:
    async def main(of: House) -> None:
        if waiting:
            whole = Database(f"sqlite:///{of.folder / 'porchlight.db'}")
            of.kept.database, away = whole, of.database
            of.database = whole
            await spooled(of)
            await whole.close()
            of.database = away
        with logs_captured() as log:
            async with of.router.lifespan_context(of.router):

                async def told() -> bool:
                    return log().count(b"a chore failed") >= 3

                await until(told)
        said = [json.loads(line) for line in log().splitlines() if b"a chore failed" in line]
        assert sorted((line["chore"], line["error"]) for line in said) == [
            ("night", "StoreUnavailable"),
            ("tend reports", "StoreUnavailable"),
            ("wipe the database's log", "StoreUnavailable"),
        ]
        assert all(set(line) == {"event", "level", "timestamp", "chore", "error", "where"} for line in said)

    with_house(tmp_path, main, database_of=Away)
