"""A report is kept as it was pressed, once, for its advocate only; "saved" is never false."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Executable, Table, delete, select, update

from ivr.engine.asks import Answers, NotSaved, Saved, SaveReport
from ivr.services import custody
from ivr.services.reports import NEW, OpenReport, Reports, Seal
from ivr.store.database import Database
from ivr.store.reports import turn_of_ending
from ivr.store.tables import metadata, report_keys, reports
from ivr.vault import receipts, signing
from ivr.vault.advocates import Effort
from tests.store.databases import KINDS, database_of

SECRET = b"a secret of this host's own"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()
SEED = b"e" * 16
CHEAP = Effort(passes=1, memory=8192)

ROBBED: Answers = (("what", ("robbed", "taken")), ("when", ("today",)))
DRAFT = SaveReport(form="bad_date", visit=1, answers=ROBBED, consent="count_only")
ENDED = replace(DRAFT, answers=(*ROBBED, ("vehicle", ("van",))), consent="warn_others", ending=1)

T = TypeVar("T")
Line = tuple[Database, Reports]
Main = Callable[[Database, Reports], Coroutine[Any, Any, None]]


@asynccontextmanager
async def a_line(url: str) -> AsyncIterator[Line]:
    database = Database(url)
    await database.migrate()
    await custody.init(
        database, secret=SECRET, advocate_name="ana", passphrase="correct horse", now=NOW, demo=False, effort=CHEAP
    )
    try:
        line = Reports(database, secret=SECRET)
        yield database, line
        await line.close()
    finally:
        await database.close()


def with_line(directory: Path, main: Main, *, kind: str = "sqlite") -> None:
    async def run(url: str) -> None:
        async with a_line(url) as (database, kept):
            await main(database, kept)

    with database_of(kind, directory) as url:
        asyncio.run(run(url))


def all_bytes_in(directory: Path) -> bytes:
    """The database with its journals."""
    return b"".join(path.read_bytes() for path in directory.iterdir())


async def keep(line: Reports, ask: SaveReport, turn: int = 3, today: date = TODAY) -> Saved | NotSaved:
    return await line.keep(ask, seed=SEED, turn=turn, today=today)


async def read_all(database: Database, line: Reports) -> list[OpenReport]:
    ana = await custody.unlock(database, passphrase="correct horse")
    opened = [await line.read(listed.id, unlocked=ana) for listed in await line.page()]
    return [report for report in opened if report is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_read_exactly_as_it_was_pressed(tmp_path: Path, kind: str) -> None:
    async def main(database: Database, line: Reports) -> None:
        assert await keep(line, DRAFT) == Saved(None)
        saved = await keep(line, ENDED, turn=4)
        assert isinstance(saved, Saved)
        assert saved.receipt is not None
        assert len(saved.receipt) == 12
        (report,) = await read_all(database, line)
        assert (report.seal, report.trusted, report.day, report.answers) == (
            Seal.OPENED,
            True,
            "2026-11-22",
            ENDED.answers,
        )
        listed = report.listed
        assert (listed.form, listed.epoch, listed.week, listed.consent, listed.state) == (
            *("bad_date", "2026-11", "2026-W47"),
            *("warn_others", NEW),
        )

    with_line(tmp_path, main, kind=kind)


def test_a_doubled_last_save_gives_the_same_receipt_and_writes_nothing(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        first = await keep(line, ENDED)
        before = await rows(database)
        assert await keep(line, ENDED) == first
        assert await asyncio.gather(*(keep(line, ENDED) for _ in range(4))) == [first] * 4
        assert await rows(database) == before

    with_line(tmp_path, main)


def test_last_saves_at_the_same_moment_are_one_report_with_one_receipt(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        assert len(set(await asyncio.gather(*(keep(line, ENDED) for _ in range(5))))) == 1
        assert len(await line.page()) == 1

    with_line(tmp_path, main)


def test_late_saves_undo_nothing(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        await keep(line, replace(DRAFT, consent="pass_on"), turn=6)
        assert await keep(line, DRAFT, turn=5) == Saved(None)
        assert [report.listed.consent for report in await read_all(database, line)] == ["pass_on"]
        await keep(line, ENDED, turn=7)
        assert await keep(line, DRAFT, turn=99) == Saved(None)
        assert [report.answers for report in await read_all(database, line)] == [ENDED.answers]

    with_line(tmp_path, main)


def test_a_second_pass_through_the_form_and_another_form_are_reports_of_their_own(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        asks = [ENDED, replace(ENDED, visit=2), replace(ENDED, form="robbery")]
        saved = [await keep(line, ask) for ask in asks]
        assert len(set(saved)) == len(await read_all(database, line)) == 3

    with_line(tmp_path, main)


def test_a_report_that_was_cut_off_has_no_receipt_and_keeps_no_length_of_call_once_ended(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        await keep(line, DRAFT, turn=9)
        assert [(row.turn, row.receipt_tag) for row in await rows(database)] == [(9, None)]
        await keep(line, ENDED, turn=10)
        assert [row.turn for row in await rows(database)] == [turn_of_ending(1)]

    with_line(tmp_path, main)


def test_a_receipt_finds_its_row_by_the_epoch_s_tag(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        saved = await keep(line, ENDED)
        assert isinstance(saved, Saved)
        assert saved.receipt == receipts.receipt_code(SEED, "bad_date", visit=1)
        (row,) = await rows(database)
        assert row.receipt_tag is not None
        stored = all_bytes_in(tmp_path)
        assert saved.receipt.encode() not in stored
        assert int(saved.receipt).to_bytes(5) not in stored

    with_line(tmp_path, main)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["what", "when", "area"]), st.lists(st.sampled_from(["hurt", "van"]), max_size=9)),
        max_size=6,
    )
)
def test_the_size_of_a_report_says_nothing(
    tmp_path_factory: pytest.TempPathFactory, answers: list[tuple[str, list[str]]]
) -> None:
    ask = replace(ENDED, answers=tuple((name, tuple(codes)) for name, codes in answers))

    async def main(database: Database, line: Reports) -> None:
        for variant in (ask, replace(DRAFT, visit=2), replace(ask, visit=3, form="robbery", ending=0)):
            assert isinstance(await keep(line, variant), Saved)
        assert {len(row.body) for row in await rows(database)} == {640}

    with_line(tmp_path_factory.mktemp("line"), main)


def test_nothing_she_answered_is_on_the_disk_as_it_was(tmp_path: Path) -> None:
    canary = replace(ENDED, answers=(("phone", ("5550101234",)), ("mark", ("canary_tattoo",))))

    async def main(database: Database, line: Reports) -> None:
        await keep(line, canary)
        stored = all_bytes_in(tmp_path)
        assert b"bad_date" in stored
        for secret in (b"5550101234", b"canary", b"2026-11-22", SEED, receipts.call_seed(b"k" * 32, "uuid")):
            assert secret not in stored

    with_line(tmp_path, main)


# What may go wrong


def test_answers_that_do_not_fit_are_not_saved(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        assert await keep(line, replace(DRAFT, answers=(("what", ("x" * 700,)),))) == NotSaved()
        assert await line.page() == []

    with_line(tmp_path, main)


def test_reports_saved_at_the_same_instant_are_each_on_the_disk_when_their_callers_hear_so(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        async def kept_by(caller: int) -> bool:
            saved = await line.keep(DRAFT, seed=bytes([caller]) * 16, turn=3, today=TODAY)
            report_id = receipts.derive_id(bytes([caller]) * 16, "report bad_date", visit=1)
            return saved == Saved(None) and report_id in on_disk()

        assert all(await asyncio.gather(*(kept_by(caller) for caller in range(20))))
        assert len(on_disk()) == 20

    def on_disk() -> set[bytes]:
        with closing(sqlite3.connect(tmp_path / "porchlight.db")) as looking:
            return {report_id for (report_id,) in looking.execute("SELECT id FROM reports")}

    with_line(tmp_path, main)


def test_without_a_database_nothing_is_saved(tmp_path: Path) -> None:
    async def main() -> Saved | NotSaved:
        database = Database("sqlite:////proc/nowhere/line.db")
        try:
            return await keep(Reports(database, secret=SECRET), DRAFT)
        finally:
            await database.close()

    assert asyncio.run(main()) == NotSaved()


@pytest.mark.parametrize("secret", [b"another secret", SECRET])
def test_a_line_without_its_keys_saves_nothing(tmp_path: Path, secret: bytes) -> None:
    async def main(database: Database, line: Reports) -> None:
        if secret == SECRET:
            await execute(database, delete(metadata.tables["line_keys"]))
        assert await keep(Reports(database, secret=secret), DRAFT) == NotSaved()

    with_line(tmp_path, main)


def test_while_somebody_else_holds_the_lock_nothing_is_saved_and_she_hears_so_in_time(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        await line.ready(TODAY)
        holder = sqlite3.connect(tmp_path / "porchlight.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        begun = time.perf_counter()
        assert await keep(line, DRAFT) == NotSaved()
        assert time.perf_counter() - begun < 2
        holder.execute("ROLLBACK")
        holder.close()
        assert await keep(line, DRAFT) == Saved(None)

    with_line(tmp_path, main)


class StuckDatabase(Database):
    """A database whose disk does not answer until it is told to."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.answers = threading.Event()

    async def write(self, work: Callable[[Connection], T]) -> T:
        def late(connection: Connection) -> T:
            assert self.answers.wait(20)
            return work(connection)

        return await super().write(late)


def test_a_stuck_database_is_not_waited_for_and_trying_again_is_the_same_report(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        stuck = StuckDatabase(f"sqlite:///{tmp_path / 'porchlight.db'}")
        hasty = Reports(stuck, secret=SECRET, save_seconds=0.05)
        assert await keep(hasty, ENDED) == NotSaved()
        assert await line.page() == []
        stuck.answers.set()
        await hasty.close()
        await stuck.close()
        assert await keep(line, ENDED) == Saved(receipts.receipt_code(SEED, "bad_date", visit=1))
        assert [report.answers for report in await read_all(database, line)] == [ENDED.answers]

    with_line(tmp_path, main)


# Where reports go


def test_when_the_epochs_ran_out_the_line_goes_on_with_the_last_and_says_so(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        assert not (await line.ready(TODAY)).ran_out
        later = date(2027, 6, 9)
        in_use = await line.ready(later)
        assert (in_use.id, in_use.ran_out) == ("2027-02", True)
        assert await keep(line, ENDED, today=later) != NotSaved()
        (report,) = await read_all(database, line)
        assert (report.listed.epoch, report.listed.week, report.day) == ("2027-02", "2027-W23", "2027-06-09")

    with_line(tmp_path, main)


def test_a_line_set_up_within_a_week_uses_its_first_epoch_at_once(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        first_of_november = date(2026, 11, 1)
        in_use = await line.ready(first_of_november)
        assert (in_use.id, in_use.ran_out) == ("2026-11", False)

    with_line(tmp_path, main)


def test_epoch_and_week_together_tell_no_day(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        monday = date(2026, 11, 30)
        for days in range(7):
            day = monday + timedelta(days=days)
            await line.keep(DRAFT, seed=bytes([days]) * 16, turn=3, today=day)
        assert {(listed.epoch, listed.week) for listed in await line.page()} == {("2026-11", "2026-W49")}

    with_line(tmp_path, main)


def test_reports_are_not_sealed_to_a_planted_epoch_key(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        await execute(database, update(metadata.tables["epochs"]).values(public_key=b"p" * 32))
        assert await keep(line, DRAFT) == NotSaved()

    with_line(tmp_path, main)


# What shows (S4)


@pytest.mark.parametrize("column", [column.name for column in reports.columns if column.name != "id"])
def test_every_altered_column_shows(tmp_path: Path, column: str) -> None:
    async def main(database: Database, line: Reports) -> None:
        await keep(line, ENDED)
        assert [report.trusted for report in await read_all(database, line)] == [True]
        [row] = await rows(database)
        await execute(database, update(reports).values({column: altered(getattr(row, column))}))
        assert [listed.trusted for listed in await line.page()] == [False]
        assert [report.trusted for report in await read_all(database, line)] == [False]

    def altered(value: Any) -> Any:
        if isinstance(value, int):
            return value - 1
        return value[:-1] + (b"\x01" if isinstance(value, bytes) else "x")

    with_line(tmp_path, main)


def test_swapped_keys_show(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        for visit in (1, 2):
            await keep(line, replace(ENDED, visit=visit))
        one, other = await rows(database, report_keys)
        for row, key in ((one, other.sealed_key), (other, one.sealed_key)):
            swap = update(report_keys).where(report_keys.c.report_id == row.report_id).values(sealed_key=key)
            await execute(database, swap)
        assert [(report.seal, report.trusted) for report in await read_all(database, line)] == [
            (Seal.BROKEN, False)
        ] * 2

    with_line(tmp_path, main)


def test_a_row_planted_with_a_key_of_one_s_own_shows(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        await keep(line, ENDED)
        mallory = signing.new_signing_key()
        public = signing.public_half(mallory)
        [row] = await rows(database)
        columns = {**row._asdict(), "id": b"m" * 16}
        claims = {name: columns[name] for name in columns if name not in ("signer", "signature")}
        signature = signing.sign(signing.Statement(**claims), mallory)
        planted = {**columns, "signer": signing.signer_of(public), "signature": signature}
        await execute(database, reports.insert().values(planted))
        line_key = {"signer": signing.signer_of(public), "public_key": public, "sealed": b"s" * 72}
        await execute(database, metadata.tables["line_keys"].insert().values(line_key))
        fresh = Reports(database, secret=SECRET)
        assert {listed.id: listed.trusted for listed in await fresh.page()} == {row.id: True, b"m" * 16: False}

    with_line(tmp_path, main)


def test_a_forgotten_report_says_so_and_its_row_stays_true(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        await keep(line, ENDED)
        await execute(database, delete(report_keys))
        (report,) = await read_all(database, line)
        assert (report.seal, report.trusted, report.answers) == (Seal.FORGOTTEN, True, None)

    with_line(tmp_path, main)


def test_an_advocate_without_the_epoch_reads_nothing(tmp_path: Path) -> None:
    async def main(database: Database, line: Reports) -> None:
        await keep(line, ENDED)
        (listed,) = await line.page()
        report = await line.read(listed.id, unlocked=custody.Unlocked("bo", {}))
        assert report is not None
        assert (report.seal, report.trusted, report.answers) == (Seal.NOT_HERS, True, None)
        assert await line.read(b"o" * 16, unlocked=custody.Unlocked("bo", {})) is None

    with_line(tmp_path, main)


async def rows(database: Database, table: Table = reports) -> list[Any]:
    return await database.read(lambda connection: list(connection.execute(select(table))))


async def execute(database: Database, statement: Executable) -> None:
    def run(connection: Connection) -> None:
        connection.execute(statement)

    await database.write(run)


def test_a_last_save_told_as_failed_does_not_stop_her_from_allowing_less(tmp_path: Path) -> None:
    """It may have reached the disk all the same; her next try at ending counts, and the first, late, undoes nothing."""

    async def main(database: Database, line: Reports) -> None:
        first, second = ENDED, replace(ENDED, consent="count_only", ending=2)
        for ask in (first, second, first):
            await keep(line, ask, turn=10)
        [row] = await rows(database)
        assert (row.consent, row.turn) == ("count_only", turn_of_ending(2))

    with_line(tmp_path, main)
