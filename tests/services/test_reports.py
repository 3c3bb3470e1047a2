"""A report is kept as it was pressed, once, for its advocate only; "saved" is never false."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Executable, Table, delete, select, update

from ivr.engine.asks import Answers, NotSaved, Saved, SaveReport
from ivr.services.archive import Seal
from ivr.services.custody import members
from ivr.services.custody.rolling import roll_line_keys
from ivr.services.reports import Reports
from ivr.services.spool import Spool
from ivr.services.tagged import NEW
from ivr.store.database import Database, StoreUnavailable
from ivr.store.reports import turn_of_ending
from ivr.store.tables import metadata, report_keys, reports
from ivr.vault import receipts, signing
from ivr.vault.advocates import Role
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin
from ivr.vault.signing import Signer
from tests.founded import CHEAP, NOW, PASSPHRASE, SECRET, UNHURRIED, Office, in_office
from tests.store.databases import KINDS

TODAY = NOW.date()
SEED = b"e" * 16

ROBBED: Answers = (("what", ("robbed", "taken")), ("when", ("today",)))
DRAFT = SaveReport(form="bad_date", visit=1, answers=ROBBED, consent="count_only")
ENDED = replace(DRAFT, answers=(*ROBBED, ("vehicle", ("van",))), consent="warn_others", ending=1)

T = TypeVar("T")
Main = Callable[[Office, Reports], Coroutine[Any, Any, None]]


LOCK_WAIT_SECONDS = 0.1
"""Where a test holds a lock for as long as it lasts: how long it is waited for."""


def with_line(directory: Path, main: Main, *, kind: str = "sqlite", wait_seconds: float = UNHURRIED.save) -> None:
    async def run(of: Office) -> None:
        kept = of.reports()
        await main(of, kept)
        await kept.close()

    in_office(directory, run, kind=kind, wait_seconds=wait_seconds)


def all_bytes_in(directory: Path, names: str = "*") -> bytes:
    """The database with its journals."""
    return b"".join(path.read_bytes() for path in directory.glob(names))


async def spooled(directory: Path, kept: Reports, ask: SaveReport, turn: int = 3) -> None:
    """Saved while somebody else holds the database's lock."""
    await kept.ready(TODAY)
    holder = locked(directory / "porchlight.db")
    assert await keep(kept, ask, turn=turn) != NotSaved()
    holder.close()
    await kept.close()


async def keep(kept: Reports, ask: SaveReport, turn: int = 3, today: date = TODAY) -> Saved | NotSaved:
    return await kept.keep(ask, seed=SEED, turn=turn, today=today)


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_read_exactly_as_it_was_pressed(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, kept: Reports) -> None:
        assert await keep(kept, DRAFT) == Saved(None)
        saved = await keep(kept, ENDED, turn=4)
        assert isinstance(saved, Saved)
        assert saved.receipt is not None
        assert len(saved.receipt) == 12
        (report,) = await of.read_all()
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
    async def main(of: Office, kept: Reports) -> None:
        first = await keep(kept, ENDED)
        before = await rows(of.database)
        assert await keep(kept, ENDED) == first
        assert await asyncio.gather(*(keep(kept, ENDED) for _ in range(4))) == [first] * 4
        assert await rows(of.database) == before

    with_line(tmp_path, main)


def test_last_saves_at_the_same_moment_are_one_report_with_one_receipt(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        assert len(set(await asyncio.gather(*(keep(kept, ENDED) for _ in range(5))))) == 1
        assert len(await of.archive.page()) == 1

    with_line(tmp_path, main)


def test_late_saves_undo_nothing(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await keep(kept, replace(DRAFT, consent="pass_on"), turn=6)
        assert await keep(kept, DRAFT, turn=5) == Saved(None)
        assert [report.listed.consent for report in await of.read_all()] == ["pass_on"]
        await keep(kept, ENDED, turn=7)
        assert await keep(kept, DRAFT, turn=99) == Saved(None)
        assert [report.answers for report in await of.read_all()] == [ENDED.answers]

    with_line(tmp_path, main)


def test_a_second_pass_through_the_form_and_another_form_are_reports_of_their_own(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        asks = [ENDED, replace(ENDED, visit=2), replace(ENDED, form="robbery")]
        saved = [await keep(kept, ask) for ask in asks]
        assert len(set(saved)) == len(await of.read_all()) == 3

    with_line(tmp_path, main)


def test_a_report_that_was_cut_off_has_no_receipt_and_keeps_no_length_of_call_once_ended(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await keep(kept, DRAFT, turn=9)
        assert [(row.turn, row.receipt_tag) for row in await rows(of.database)] == [(9, None)]
        await keep(kept, ENDED, turn=10)
        assert [row.turn for row in await rows(of.database)] == [turn_of_ending(1)]

    with_line(tmp_path, main)


def test_a_receipt_finds_its_row_by_the_epoch_s_tag(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        saved = await keep(kept, ENDED)
        assert isinstance(saved, Saved)
        assert saved.receipt == receipts.receipt_code(SEED, "bad_date", visit=1)
        (row,) = await rows(of.database)
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

    async def main(of: Office, kept: Reports) -> None:
        for variant in (ask, replace(DRAFT, visit=2), replace(ask, visit=3, form="robbery", ending=0)):
            assert isinstance(await keep(kept, variant), Saved)
        assert {len(row.body) for row in await rows(of.database)} == {640}

    with_line(tmp_path_factory.mktemp("line"), main)


def test_nothing_she_answered_is_on_the_disk_as_it_was(tmp_path: Path) -> None:
    canary = replace(ENDED, answers=(("phone", ("5550101234",)), ("mark", ("canary_tattoo",))))

    async def main(of: Office, kept: Reports) -> None:
        await keep(kept, canary)
        stored = all_bytes_in(tmp_path)
        assert b"bad_date" in stored
        for secret in (b"5550101234", b"canary", b"2026-11-22", SEED, receipts.call_seed(b"k" * 32, "uuid")):
            assert secret not in stored

    with_line(tmp_path, main)


# What may go wrong


def test_answers_that_do_not_fit_are_not_saved(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        assert await keep(kept, replace(DRAFT, answers=(("what", ("x" * 700,)),))) == NotSaved()
        assert await of.archive.page() == []

    with_line(tmp_path, main)


def test_reports_saved_at_the_same_instant_are_each_on_the_disk_when_their_callers_hear_so(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        async def kept_by(caller: int) -> bool:
            saved = await kept.keep(DRAFT, seed=bytes([caller]) * 16, turn=3, today=TODAY)
            report_id = receipts.derive_id(bytes([caller]) * 16, "report bad_date", visit=1)
            return saved == Saved(None) and report_id in on_disk()

        assert all(await asyncio.gather(*(kept_by(caller) for caller in range(20))))
        assert len(on_disk()) == 20

    def on_disk() -> set[bytes]:
        """In the database, or in the spool where that was too busy."""
        files = (tmp_path / "porchlight.db", tmp_path / "spool.db")
        return {report_id for file in files for (report_id,) in sqlite_rows(file, "reports", "id")}

    with_line(tmp_path, main)


def test_without_a_database_nothing_is_saved(tmp_path: Path) -> None:
    async def main() -> Saved | NotSaved:
        nowhere = Database("sqlite:////proc/nowhere/line.db")
        of = Office(nowhere, Spool(nowhere), Pin(bytes(32)))
        try:
            return await keep(of.reports(), DRAFT)
        finally:
            of.slow_hashes.close()
            await nowhere.close()

    assert asyncio.run(main()) == NotSaved()


@pytest.mark.parametrize("secret", [b"another secret", SECRET])
def test_a_line_without_its_keys_saves_nothing(tmp_path: Path, secret: bytes) -> None:
    async def main(of: Office, kept: Reports) -> None:
        if secret == SECRET:
            await execute(of.database, delete(metadata.tables["line_keys"]))
        assert await keep(of.reports(host=HostKey.of(secret)), DRAFT) == NotSaved()

    with_line(tmp_path, main)


def locked(file: Path) -> sqlite3.Connection:
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    return holder


def test_while_somebody_else_holds_the_lock_a_report_waits_in_the_spool_and_she_hears_so_in_time(
    tmp_path: Path,
) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await kept.ready(TODAY)
        holder = locked(tmp_path / "porchlight.db")
        assert await keep(kept, ENDED) == Saved(receipts.receipt_code(SEED, "bad_date", visit=1))
        holder.close()
        await kept.close()
        assert await kept.bring_home() == 1
        assert [report.answers for report in await of.read_all()] == [ENDED.answers]
        assert await kept.bring_home() == 0

    with_line(tmp_path, main, wait_seconds=LOCK_WAIT_SECONDS)


def test_while_neither_database_nor_spool_takes_it_nothing_is_saved_and_she_hears_so_in_time(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await kept.ready(TODAY)
        holders = [locked(tmp_path / name) for name in ("porchlight.db", "spool.db")]
        assert await keep(kept, DRAFT) == NotSaved()
        for holder in holders:
            holder.close()
        assert await keep(kept, DRAFT) == Saved(None)

    with_line(tmp_path, main, wait_seconds=LOCK_WAIT_SECONDS)


@pytest.mark.parametrize("put_back", [False, True])
def test_a_database_file_that_was_deleted_or_replaced_takes_nothing_that_nobody_would_see(
    tmp_path: Path, put_back: bool
) -> None:
    """The open file would: it is no longer the one that lies there."""

    async def main(of: Office, kept: Reports) -> None:
        await kept.ready(TODAY)
        await keep(kept, DRAFT, turn=3)
        while not await of.database.forget_deleted():
            pass
        restored = (tmp_path / "porchlight.db").read_bytes()
        for name in ("porchlight.db", "porchlight.db-wal", "porchlight.db-shm"):
            (tmp_path / name).unlink()
        if put_back:
            (tmp_path / "porchlight.db").write_bytes(restored)
        assert await keep(kept, ENDED, turn=4) != NotSaved()
        if not put_back:
            with pytest.raises(StoreUnavailable):
                await kept.tend(TODAY)
            (tmp_path / "porchlight.db").write_bytes(restored)
        await kept.bring_home()
        assert [report.answers for report in await of.read_all()] == [ENDED.answers]

    with_line(tmp_path, main)


def test_what_is_spooled_is_sealed_to_a_month_that_nobody_can_have_made_anew(tmp_path: Path) -> None:
    """A lead removes an advocate, the months to come are made anew; then the database is away when the month turns."""

    async def main(of: Office, kept: Reports) -> None:
        await kept.ready(TODAY)
        ana = await of.session()
        await members.add(of.database, ana, name="bo", passphrase=PASSPHRASE, role=Role.ADVOCATE, effort=CHEAP)
        assert (await members.remove(of.database, await of.session("ana"), name="bo", now=NOW)).new_epochs
        holder = locked(tmp_path / "porchlight.db")
        assert await keep(kept, ENDED, today=date(2026, 12, 9)) != NotSaved()
        holder.close()
        await kept.close()
        await execute(of.database, delete(reports))  # the write that was given up on may have landed
        await kept.bring_home()
        assert [(one.trusted, one.answers, one.listed.epoch) for one in await of.read_all()] == [
            (True, ENDED.answers, "2026-11")
        ]

    with_line(tmp_path, main, wait_seconds=LOCK_WAIT_SECONDS)


def test_what_waits_in_the_spool_comes_home_before_anything_else(tmp_path: Path) -> None:
    """Another worker finds it when it begins; a newer turn in the database stays."""

    async def main(of: Office, kept: Reports) -> None:
        await spooled(tmp_path, kept, DRAFT)
        await keep(kept, replace(DRAFT, consent="pass_on"), turn=4)
        assert [report.listed.consent for report in await of.read_all()] == ["pass_on"]
        another = of.reports()
        await another.ready(TODAY)
        assert [report.listed.consent for report in await of.read_all()] == ["pass_on"]
        assert sqlite_rows(tmp_path / "spool.db", "reports") == []

    with_line(tmp_path, main, wait_seconds=LOCK_WAIT_SECONDS)


def test_a_spooled_report_leaves_no_byte_behind(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await spooled(tmp_path, kept, ENDED)
        [(body, key)] = sqlite_rows(tmp_path / "spool.db", "reports JOIN report_keys", "body, sealed_key")
        assert await kept.bring_home() == 1
        left = all_bytes_in(tmp_path, "spool.db*")
        assert body[:16] not in left
        assert key[:16] not in left

    with_line(tmp_path, main, wait_seconds=LOCK_WAIT_SECONDS)


def test_what_was_spooled_under_keys_that_a_lead_has_replaced_is_vouched_for_by_the_new_ones(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await spooled(tmp_path, kept, ENDED)
        await execute(of.database, delete(reports))  # the write that was given up on may have landed
        await roll_line_keys(of.database, await of.session(), of.host, now=NOW)
        assert await kept.bring_home() == 1
        assert [report.trusted for report in await of.read_all()] == [True]

    with_line(tmp_path, main, wait_seconds=LOCK_WAIT_SECONDS)


def test_what_somebody_planted_in_the_spool_shows_as_planted(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await spooled(tmp_path, kept, ENDED)
        await execute(of.database, delete(reports))  # the write that was given up on may have landed
        mallory = Signer.of(b"m" * 32)
        forged = {"signer": mallory.id, "state": "confirmed", "consent": "pass_on"}
        with closing(sqlite3.connect(tmp_path / "spool.db")) as planting, planting:
            planting.execute("UPDATE reports SET signer = :signer, state = :state, consent = :consent", forged)
        assert await kept.bring_home() == 1
        assert [report.trusted for report in await of.read_all()] == [False]

    with_line(tmp_path, main, wait_seconds=LOCK_WAIT_SECONDS)


def test_a_line_that_serves_while_a_lead_rolls_its_keys_saves_with_the_new_ones(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await keep(kept, DRAFT, turn=3)
        await roll_line_keys(of.database, await of.session(), of.host, now=NOW)
        assert [report.trusted for report in await of.read_all()] == [True]
        assert await keep(kept, ENDED, turn=4) == Saved(receipts.receipt_code(SEED, "bad_date", visit=1))
        assert [(report.trusted, report.answers) for report in await of.read_all()] == [(True, ENDED.answers)]

    with_line(tmp_path, main)


def sqlite_rows(file: Path, table: str, columns: str = "*") -> list[Any]:
    with closing(sqlite3.connect(file)) as looking:
        return looking.execute(f"SELECT {columns} FROM {table}").fetchall()


class StuckDatabase(Database):
    """A database whose disk does not answer until it is told to."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.answers = threading.Event()

    async def write(self, work: Callable[[Connection], T]) -> T:
        def late(connection: Connection) -> T:
            assert self.answers.wait(UNHURRIED.save)
            return work(connection)

        return await super().write(late)


def test_a_stuck_disk_is_not_waited_for_and_trying_again_is_the_same_report(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        stuck = StuckDatabase(f"sqlite:///{tmp_path / 'porchlight.db'}")
        hasty = replace(of, database=stuck, spool=Spool(stuck)).reports(save_seconds=0.05)
        assert await keep(hasty, ENDED) == NotSaved()
        assert await of.archive.page() == []
        stuck.answers.set()
        await hasty.close()
        await stuck.close()
        assert await keep(kept, ENDED) == Saved(receipts.receipt_code(SEED, "bad_date", visit=1))
        assert [report.answers for report in await of.read_all()] == [ENDED.answers]

    with_line(tmp_path, main)


# Where reports go


def test_when_the_epochs_ran_out_the_line_goes_on_with_the_last_and_says_so(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        assert not (await kept.ready(TODAY)).ran_out
        later = date(2027, 6, 9)
        in_use = await kept.ready(later)
        assert (in_use.id, in_use.ran_out) == ("2027-02", True)
        assert await keep(kept, ENDED, today=later) != NotSaved()
        (report,) = await of.read_all()
        assert (report.listed.epoch, report.listed.week, report.day) == ("2027-02", "2027-W23", "2027-06-09")

    with_line(tmp_path, main)


def test_a_line_set_up_within_a_week_uses_its_first_epoch_at_once(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        first_of_november = date(2026, 11, 1)
        in_use = await kept.ready(first_of_november)
        assert (in_use.id, in_use.ran_out) == ("2026-11", False)

    with_line(tmp_path, main)


def test_epoch_and_week_together_tell_no_day(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        monday = date(2026, 11, 30)
        for days in range(7):
            day = monday + timedelta(days=days)
            await kept.keep(DRAFT, seed=bytes([days]) * 16, turn=3, today=day)
        assert {(listed.epoch, listed.week) for listed in await of.archive.page()} == {("2026-11", "2026-W49")}

    with_line(tmp_path, main)


def test_reports_are_not_sealed_to_a_planted_epoch_key(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await execute(of.database, update(metadata.tables["epochs"]).values(public_key=b"p" * 32))
        assert await keep(kept, DRAFT) == NotSaved()

    with_line(tmp_path, main)


# What shows (S4)


@pytest.mark.parametrize("column", [column.name for column in reports.columns if column.name != "id"])
def test_every_altered_column_shows(tmp_path: Path, column: str) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await keep(kept, ENDED)
        assert [report.trusted for report in await of.read_all()] == [True]
        [row] = await rows(of.database)
        await execute(of.database, update(reports).values({column: altered(getattr(row, column))}))
        assert [listed.trusted for listed in await of.archive.page()] == [False]
        assert [report.trusted for report in await of.read_all()] == [False]

    def altered(value: Any) -> Any:
        if isinstance(value, int):
            return value - 1
        return bytes([value[0] ^ 1]) + value[1:] if isinstance(value, bytes) else f"{value[:-1]}x"

    with_line(tmp_path, main)


def test_swapped_keys_show(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        for visit in (1, 2):
            await keep(kept, replace(ENDED, visit=visit))
        one, other = await rows(of.database, report_keys)
        for row, key in ((one, other.sealed_key), (other, one.sealed_key)):
            swap = update(report_keys).where(report_keys.c.report_id == row.report_id).values(sealed_key=key)
            await execute(of.database, swap)
        assert [(report.seal, report.trusted) for report in await of.read_all()] == [(Seal.BROKEN, False)] * 2

    with_line(tmp_path, main)


def test_a_row_planted_with_a_key_of_one_s_own_shows(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await keep(kept, ENDED)
        mallory = b"m" * 32
        public = signing.public_half(mallory)
        [row] = await rows(of.database)
        columns = {**row._asdict(), "id": b"m" * 16}
        claims = {name: columns[name] for name in columns if name not in ("signer", "signature")}
        signature = Signer.of(mallory).sign(signing.Statement(**claims))
        planted = {**columns, "signer": signing.signer_of(public), "signature": signature}
        await execute(of.database, reports.insert().values(planted))
        forged = {"certificate": b"c" * 64, "signing_key": public, "sealing_key": public}
        keys = {**forged, "signer": signing.signer_of(public), "site_salt": b"s" * 64, "sealed": b"s" * 104}
        await execute(of.database, metadata.tables["line_keys"].insert().values(keys))
        ana = {
            **forged,
            "id": b"m" * 16,
            "name": "ana!",
            "role": "lead",
            "salt": b"s" * 16,
            "passes": 1,
            "memory": 8192,
        }
        await execute(of.database, metadata.tables["advocates"].insert().values({**ana, "wrapped": b"w" * 104}))
        found = {listed.id: listed.trusted for listed in await of.archive.page()}
        assert found == {row.id: True, b"m" * 16: False}

    with_line(tmp_path, main)


def test_a_report_whose_key_somebody_deleted_does_not_look_as_if_it_was_taken_back(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await keep(kept, ENDED)
        await execute(of.database, delete(report_keys))
        (report,) = await of.read_all()
        assert (report.seal, report.trusted, report.answers) == (Seal.MISSING, False, None)

    with_line(tmp_path, main)


def test_an_advocate_without_the_epoch_reads_nothing(tmp_path: Path) -> None:
    async def main(of: Office, kept: Reports) -> None:
        await keep(kept, ENDED)
        (listed,) = await of.archive.page()
        ana = await of.session()
        stranger = replace(ana, own=replace(ana.own, id=b"s" * 16), epoch_keys={})
        report = await of.archive.read(listed.id, stranger)
        assert report is not None
        assert (report.seal, report.trusted, report.answers) == (Seal.NOT_HERS, True, None)
        assert await of.archive.read(b"o" * 16, stranger) is None

    with_line(tmp_path, main)


async def rows(database: Database, table: Table = reports) -> list[Any]:
    return await database.read(lambda connection: list(connection.execute(select(table))))


async def execute(database: Database, statement: Executable) -> None:
    def run(connection: Connection) -> None:
        connection.execute(statement)

    await database.write(run)


def test_a_last_save_told_as_failed_does_not_stop_her_from_allowing_less(tmp_path: Path) -> None:
    """It may have reached the disk all the same; her next try at ending counts, and the first, late, undoes nothing."""

    async def main(of: Office, kept: Reports) -> None:
        first, second = ENDED, replace(ENDED, consent="count_only", ending=2)
        for ask in (first, second, first):
            await keep(kept, ask, turn=10)
        [row] = await rows(of.database)
        assert (row.consent, row.turn) == ("count_only", turn_of_ending(2))

    with_line(tmp_path, main)
