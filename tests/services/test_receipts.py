"""A receipt takes its report back, for good; and trying receipts out is slow for everybody together."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from ivr.engine.asks import Saved, SaveReport
from ivr.services.archive import Seal
from ivr.services.receipts import Receipts, SlowHashes, forgotten, give_way
from ivr.services.tagged import Withdrawal
from ivr.store import contributions
from ivr.store.contributions import ContributionRow
from ivr.store.tables import reports
from ivr.vault import receipts as vault
from tests.founded import NOW, Office, in_office
from tests.store.databases import KINDS

TODAY = NOW.date()
REPORT = SaveReport(form="bad_date", visit=1, answers=(("what", ("taken",)),), consent="pass_on", ending=1)

Main = Callable[[Office, Receipts], Coroutine[Any, Any, None]]


def with_office(directory: Path, main: Main, *, kind: str = "sqlite") -> None:
    async def run(of: Office) -> None:
        await main(of, Receipts(of.database, of.host, of.pin, of.slow_hashes))

    in_office(directory, run, kind=kind)


async def keep(of: Office, n: int = 0, today: date = TODAY) -> str:
    kept = of.reports()
    saved = await kept.keep(REPORT, seed=bytes([n]) * 16, turn=3, today=today)
    await kept.close()
    assert isinstance(saved, Saved)
    assert saved.receipt
    return saved.receipt


@pytest.mark.parametrize("kind", KINDS)
def test_a_receipt_takes_its_own_report_back_and_no_other(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, desk: Receipts) -> None:
        codes = [await keep(of, n) for n in range(3)]
        assert await desk.withdraw(codes[1]) is Withdrawal.TAKEN_BACK
        assert await desk.withdraw(codes[1]) is Withdrawal.ALREADY
        assert await desk.withdraw("000000000000") is Withdrawal.UNKNOWN
        found = await of.read_all()
        assert sorted((report.seal, report.trusted, report.listed.state) for report in found) == [
            (Seal.FORGOTTEN, True, "taken_back"),
            (Seal.OPENED, True, "new"),
            (Seal.OPENED, True, "new"),
        ]

    with_office(tmp_path, main, kind=kind)


def test_a_receipt_is_known_in_every_living_epoch(tmp_path: Path) -> None:
    async def main(of: Office, desk: Receipts) -> None:
        codes = [await keep(of, n, TODAY + timedelta(days=31 * n)) for n in range(4)]
        assert {listed.epoch for listed in await of.archive.page()} == {"2026-11", "2026-12", "2027-01", "2027-02"}
        assert {await desk.withdraw(code) for code in codes} == {Withdrawal.TAKEN_BACK}

    with_office(tmp_path, main)


def test_a_late_save_does_not_bring_back_what_was_taken_back(tmp_path: Path) -> None:
    async def main(of: Office, desk: Receipts) -> None:
        code = await keep(of)
        await desk.withdraw(code)
        assert await keep(of) == code
        assert [report.seal for report in await of.read_all()] == [Seal.FORGOTTEN]

    with_office(tmp_path, main)


def test_what_was_derived_from_a_report_goes_with_it(tmp_path: Path) -> None:
    async def main(of: Office, desk: Receipts) -> None:
        code, other = await keep(of), await keep(of, 1)
        salt = (await of.line_keys()).site_salt
        for handle in (vault.handle(vault.slow(one, site_salt=salt)) for one in (code, other)):
            for kind in ("alert", "number"):
                row = ContributionRow(handle, kind, "pass_on", b"derived", until="2027-01-01")
                await of.database.write(partial(contributions.put, row=row))
        await desk.withdraw(code)
        left = await of.database.read(contributions.all_contributions)
        assert {row.handle for row in left} == {vault.handle(vault.slow(other, site_salt=salt))}
        assert len(left) == 2

    with_office(tmp_path, main)


def test_what_stays_of_it_is_a_row_of_noise_that_allows_nothing(tmp_path: Path) -> None:
    async def main(of: Office, desk: Receipts) -> None:
        code = await keep(of)
        [before] = await of.database.read(lambda connection: list(connection.execute(select(reports))))
        await desk.withdraw(code)
        assert await forgotten(of.database)
        [after] = await of.database.read(lambda connection: list(connection.execute(select(reports))))
        assert (after.consent, len(after.body)) == ("count_only", len(before.body))
        assert before.body[:16] not in all_bytes_in(tmp_path)

    with_office(tmp_path, main)


def all_bytes_in(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.iterdir())


def test_a_cleaning_that_readers_hinder_is_tried_again(tmp_path: Path) -> None:
    async def main(of: Office, desk: Receipts) -> None:
        waits: list[float] = []
        held, released = threading.Event(), threading.Event()
        reading = asyncio.create_task(of.database.read(lambda connection: _hold(connection, held, released)))
        await asyncio.to_thread(held.wait, 10)
        await keep(of)

        async def pause(seconds: float) -> None:
            waits.append(seconds)
            released.set()
            await reading

        assert await forgotten(of.database, pause=pause)
        assert waits

    with_office(tmp_path, main)


def _hold(connection: Connection, held: threading.Event, released: threading.Event) -> None:
    connection.execute(select(reports)).all()
    held.set()
    assert released.wait(10)


def test_slow_hashes_run_two_at_once_off_the_event_loop() -> None:
    """Never one alone while another waits, and never three."""
    pair = threading.Barrier(2, timeout=10)
    lock = threading.Lock()
    running: set[int] = set()
    seen: list[set[int]] = []

    def slow(code: str, *, site_salt: bytes) -> bytes:
        with lock:
            running.add(threading.get_ident())
            seen.append(set(running))
        pair.wait()
        with lock:
            running.discard(threading.get_ident())
        return code.encode()

    async def main() -> None:
        hashes = SlowHashes(slow)
        codes = [str(n) for n in range(8)]
        found = await asyncio.gather(*(hashes.of(code, site_salt=b"") for code in codes))
        assert found == [code.encode() for code in codes]
        hashes.close()

    asyncio.run(main())
    assert max(map(len, seen)) == 2
    assert threading.get_ident() not in set().union(*seen)


def test_receipts_that_are_tried_never_keep_reports_from_being_saved() -> None:
    """One of the two is always left to them; and tried ones are made one after the other."""
    let = threading.Event()
    running: list[str] = []

    def slow(code: str, *, site_salt: bytes) -> bytes:
        running.append(code)
        if code == "tried":
            assert let.wait(10)
        return code.encode()

    async def main() -> None:
        hashes = SlowHashes(slow)
        tried = [asyncio.create_task(hashes.of("tried", site_salt=b"", gives_way=True)) for _ in range(5)]
        saved = await asyncio.gather(*(hashes.of("saved", site_salt=b"") for _ in range(5)))
        assert saved == [b"saved"] * 5
        assert running.count("tried") <= 1
        let.set()
        assert await asyncio.gather(*tried) == [b"tried"] * 5
        hashes.close()

    asyncio.run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread is as urgent as its process")
def test_the_thread_that_tries_receipts_gives_way_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.services.receipts.give_way", give_way)

    def slow(code: str, *, site_salt: bytes) -> bytes:
        return bytes([os.sched_getscheduler(threading.get_native_id())])

    async def main() -> None:
        hashes = SlowHashes(slow)
        own = os.sched_getscheduler(0)
        assert await hashes.of("tried", site_salt=b"", gives_way=True) == bytes([os.SCHED_IDLE])
        assert await hashes.of("saved", site_salt=b"") == bytes([own])
        hashes.close()
        assert os.sched_getscheduler(0) == own

    asyncio.run(main())
