"""What a caller does with her receipt by phone: it opens her own report and no other, changes what it may be used for,
takes it back; and whatever the disk does, she hears in time what came of it."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, Executable, delete, select, update

from ivr.engine.asks import Gone, Noted, NotNow, Opened, Saved, SaveReport, StatusIs, Unsure
from ivr.kit.clock import VirtualClock
from ivr.services.archive import Seal
from ivr.services.by_receipt import LiveReceipts
from ivr.services.receipts import Receipts, SlowHashes
from ivr.services.retention import Night
from ivr.services.tagged import CONFIRMED, NEW, TAKEN_BACK, Withdrawal
from ivr.store import contributions
from ivr.store.contributions import ContributionRow
from ivr.store.database import Database, StoreUnavailable
from ivr.store.tables import claims, epochs, line_keys, reports
from ivr.vault import receipts as vault
from ivr.vault.host import HostKey
from tests.founded import NOW, Office, in_office
from tests.shipped import flow
from tests.store.databases import KINDS

TODAY = NOW.date()
REPORT = SaveReport(form="bad_date", visit=1, answers=(("what", ("taken",)),), consent="pass_on", ending=1)
NOBODY_S = "000000000000"
SOON = 0.5
"""Seconds in which a database on this machine has committed."""

T = TypeVar("T")
Main = Callable[[Office, LiveReceipts], Coroutine[Any, Any, None]]


def with_line(directory: Path, main: Main, *, kind: str = "sqlite") -> None:
    async def run(of: Office) -> None:
        receipts = of.receipts()
        await main(of, receipts)
        await receipts.close()

    in_office(directory, run, kind=kind)


async def keep(of: Office, n: int = 0, *, today: date = TODAY, **changes: Any) -> str:
    """A report; its receipt."""
    kept = of.reports()
    saved = await kept.keep(replace(REPORT, **changes), seed=bytes([n]) * 16, turn=3, today=today)
    await kept.close()
    assert isinstance(saved, Saved)
    return saved.receipt or ""


async def opened(receipts: LiveReceipts, code: str) -> bytes:
    found = await receipts.open(code)
    assert isinstance(found, Opened)
    return found.receipt


async def execute(of: Office, *statements: Executable) -> None:
    def run(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    await of.database.write(run)


async def consents(of: Office) -> list[tuple[str, bool]]:
    return [(listed.consent, listed.trusted) for listed in await of.archive.page()]


# ---- opening ----


@pytest.mark.parametrize("kind", KINDS)
def test_a_receipt_opens_its_own_report_in_every_living_month(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        codes = [await keep(of, n, today=TODAY + timedelta(days=31 * n)) for n in range(4)]
        found = [await receipts.open(code) for code in codes]
        salt = (await of.line_keys()).site_salt
        assert found == [Opened(vault.slow(code, site_salt=salt), "bad_date") for code in codes]
        assert await receipts.open(NOBODY_S) == Gone()

    with_line(tmp_path, main, kind=kind)


def test_what_was_taken_back_is_known_as_that_until_its_time_is_over(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code = await keep(of)
        receipt = await opened(receipts, code)
        assert await receipts.withdraw(receipt) == Noted()
        assert await receipts.open(code) == Opened(receipt, "bad_date", is_gone=True)
        assert await receipts.status(receipt) == StatusIs(TAKEN_BACK, "count_only")
        night = Night(of.database, of.host, of.pin, flow(), VirtualClock(NOW))
        await night.purge((NOW + timedelta(days=400)).date())
        assert await receipts.open(code) == Gone()
        assert await receipts.status(receipt) == Gone()
        assert await receipts.change_consent(receipt, "warn_others", change_id=bytes(16)) == Gone()
        assert await receipts.withdraw(receipt) == Gone()

    with_line(tmp_path, main)


def test_that_there_is_no_report_is_said_only_where_every_month_could_be_asked(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code = await keep(of)
        receipt = await opened(receipts, code)
        await execute(of, update(epochs).where(epochs.c.id == "2026-12").values(receipt_key=bytes(80)))
        assert isinstance(await receipts.open(code), Opened)
        unknown = bytes(32)
        answers = [
            await receipts.open(NOBODY_S),
            await receipts.status(unknown),
            await receipts.change_consent(unknown, "count_only", change_id=bytes(16)),
            await receipts.withdraw(unknown),
        ]
        assert answers == [NotNow()] * 4
        assert await receipts.status(receipt) == StatusIs(NEW, "pass_on")

    with_line(tmp_path, main)


def test_a_row_that_somebody_planted_with_her_tag_is_not_opened_as_hers(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code = await keep(of)
        receipt = await opened(receipts, code)
        [row] = await of.database.read(lambda connection: list(connection.execute(select(reports)).mappings()))
        planted = {**row, "id": bytes(16), "consent": "count_only", "form": "planted"}
        await execute(of, reports.insert().values(planted))
        assert await receipts.open(code) == Opened(receipt, "bad_date")
        assert await receipts.status(receipt) == StatusIs(NEW, "pass_on")
        await execute(of, delete(reports).where(reports.c.id == row["id"]))
        assert await receipts.open(code) == Gone()
        assert await receipts.status(receipt) == Gone()
        assert await receipts.change_consent(receipt, "warn_others", change_id=bytes(16)) == Gone()
        assert await consents(of) == [("count_only", False)]

    with_line(tmp_path, main)


# ---- what is not at home yet ----


async def left_waiting(of: Office, directory: Path) -> str:
    """A report that lies in the spool, because the database was away; its receipt."""
    hasty = Database(f"sqlite:///{directory / 'porchlight.db'}", wait_seconds=0.1)
    kept = replace(of, database=hasty).reports()
    await kept.ready(TODAY)
    holder = sqlite3.connect(directory / "porchlight.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    saved = await kept.keep(REPORT, seed=bytes(16), turn=3, today=TODAY)
    holder.close()
    await kept.close()
    await hasty.close()
    assert isinstance(saved, Saved)
    await execute(of, delete(reports))  # what was given up on may have come there all the same
    assert not await of.spool.is_empty()
    return saved.receipt or ""


def test_a_receipt_opens_a_report_that_still_waits_in_the_spool(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code = await left_waiting(of, tmp_path)
        here = replace(receipts, bring_home=of.reports().bring_home)
        found = await here.open(code)
        assert isinstance(found, Opened)
        assert await of.spool.is_empty()
        assert await here.status(found.receipt) == StatusIs(NEW, "pass_on")
        assert await here.open(NOBODY_S) == Gone()

    with_line(tmp_path, main)


def test_a_report_that_another_worker_brings_home_just_now_is_not_told_as_unknown(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code = await left_waiting(of, tmp_path)
        another, mine = of.reports(), of.reports()

        async def after_the_other() -> int:
            assert await another.bring_home() == 1
            return await mine.bring_home()

        found = await replace(receipts, bring_home=after_the_other).open(code)
        assert isinstance(found, Opened)

    with_line(tmp_path, main)


def test_while_what_waits_cannot_be_brought_home_no_report_is_told_as_unknown(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code = await left_waiting(of, tmp_path)
        let = asyncio.Event()

        async def fails() -> int:
            raise StoreUnavailable("the spool is damaged")

        async def waits() -> int:
            await let.wait()
            return 0

        for bring_home in (fails, waits):
            here = replace(receipts, bring_home=bring_home, seconds=SOON)
            for one in (code, NOBODY_S):
                assert await here.open(one) == NotNow()
        let.set()

    with_line(tmp_path, main)


# ---- what has become of it ----


@pytest.mark.parametrize("kind", KINDS)
def test_she_hears_whether_it_was_confirmed_and_what_it_may_be_used_for(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        receipt = await opened(receipts, await keep(of, consent="warn_others"))
        assert await receipts.status(receipt) == StatusIs(NEW, "warn_others")
        [listed] = await of.archive.page()
        await of.archive.decide(listed.id, await of.session(), confirmed=True)
        assert await receipts.status(receipt) == StatusIs(CONFIRMED, "warn_others")
        assert await receipts.change_consent(receipt, "pass_on", change_id=bytes(16)) == Noted()
        assert await receipts.status(receipt) == StatusIs(CONFIRMED, "pass_on")
        await receipts.withdraw(receipt)
        assert await receipts.status(receipt) == StatusIs(TAKEN_BACK, "count_only")

    with_line(tmp_path, main, kind=kind)


# ---- what it may be used for ----


@pytest.mark.parametrize("kind", KINDS)
def test_less_consent_deletes_what_was_derived_for_more_and_keeps_the_rest(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        mine, other = [await opened(receipts, await keep(of, n)) for n in range(2)]
        for handle in map(vault.handle, (mine, other)):
            for grade in ("count_only", "warn_others", "pass_on", "unheard of"):
                row = ContributionRow(handle, grade, grade, b"derived", until="2027-01-01")
                await of.database.write(partial(contributions.put, row=row))
        assert await receipts.change_consent(mine, "warn_others", change_id=bytes(16)) == Noted()
        left = await of.database.read(contributions.all_contributions)
        assert {row.grade for row in left if row.handle == vault.handle(mine)} == {"count_only", "warn_others"}
        assert len([row for row in left if row.handle == vault.handle(other)]) == 4
        assert sorted(await consents(of)) == [("pass_on", True), ("warn_others", True)]

    with_line(tmp_path, main, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_that_comes_again_undoes_no_later_one(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        receipt = await opened(receipts, await keep(of))
        other_worker = of.receipts()
        for change, consent in ((b"a", "count_only"), (b"b", "pass_on"), (b"c", "warn_others")):
            assert await receipts.change_consent(receipt, consent, change_id=change * 16) == Noted()
        for change, consent in ((b"a", "count_only"), (b"b", "pass_on")):
            assert await other_worker.change_consent(receipt, consent, change_id=change * 16) == Noted()
        assert await consents(of) == [("warn_others", True)]
        await receipts.withdraw(receipt)
        assert await other_worker.change_consent(receipt, "pass_on", change_id=b"c" * 16) == Noted()
        assert await other_worker.change_consent(receipt, "pass_on", change_id=b"d" * 16) == Gone()
        assert await consents(of) == [("count_only", True)]

    with_line(tmp_path, main, kind=kind)


def test_what_her_form_does_not_offer_is_refused_and_claims_nothing(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        receipt = await opened(receipts, await keep(of, consent="count_only"))
        form = flow().forms["bad_date"]
        fewer = replace(receipts, forms={"bad_date": replace(form, consents=form.consents[:2])})
        for one, consent in ((fewer, "pass_on"), (receipts, "anything"), (receipts, "")):
            with pytest.raises(ValueError, match=r"offer|no consent"):
                await one.change_consent(receipt, consent, change_id=bytes(16))
        assert await fewer.change_consent(receipt, "warn_others", change_id=bytes(16)) == Noted()
        assert await consents(of) == [("warn_others", True)]

    with_line(tmp_path, main)


def test_a_form_that_is_gone_from_the_flow_offers_what_it_did(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        receipt = await opened(receipts, await keep(of, form="former"))
        assert await receipts.change_consent(receipt, "warn_others", change_id=bytes(16)) == Noted()
        assert await consents(of) == [("warn_others", True)]

    with_line(tmp_path, main)


def test_a_claim_lasts_as_long_as_any_message_of_its_call_could_come_again(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        receipt = await opened(receipts, await keep(of))
        await receipts.change_consent(receipt, "count_only", change_id=b"a" * 16)
        await receipts.change_consent(receipt, "warn_others", change_id=b"b" * 16)
        clock = VirtualClock(NOW.replace(hour=9))
        night = Night(of.database, of.host, of.pin, flow(), clock)
        for kept in (2, 0):
            assert await night.work_if_due() is not None
            left = await of.database.read(lambda found: len(found.execute(select(claims)).all()))
            assert left == kept
            if kept:
                assert await receipts.change_consent(receipt, "count_only", change_id=b"a" * 16) == Noted()
                assert await consents(of) == [("warn_others", True)]
            clock.advance(timedelta(days=1))

    with_line(tmp_path, main)


# ---- taking it back ----


@pytest.mark.parametrize("kind", KINDS)
def test_taking_it_back_by_phone_is_final_and_doubled_says_the_same(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code, other = await keep(of), await keep(of, 1)
        receipt = await opened(receipts, code)
        for listed in await of.archive.page():
            await of.archive.note(listed.id, await of.session(), text="seen", today=TODAY)
        row = ContributionRow(vault.handle(receipt), "number", "pass_on", b"derived", until="2027-01-01")
        await of.database.write(partial(contributions.put, row=row))
        assert [await receipts.withdraw(receipt) for _ in range(3)] == [Noted()] * 3
        assert await of.database.read(contributions.all_contributions) == []
        found = await of.read_all()
        assert sorted((one.seal, one.trusted, len(one.notes)) for one in found) == [
            (Seal.FORGOTTEN, True, 0),
            (Seal.OPENED, True, 1),
        ]
        by_hand = Receipts(of.database, of.host, of.pin, of.slow_hashes)
        assert await by_hand.withdraw(code) is Withdrawal.ALREADY
        assert await by_hand.withdraw(other) is Withdrawal.TAKEN_BACK

    with_line(tmp_path, main, kind=kind)


def test_an_altered_report_is_taken_back_too(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code = await keep(of)
        receipt = await opened(receipts, code)
        await execute(of, update(reports).values(consent="count_only"))
        assert await receipts.open(code) == Gone()
        assert await receipts.withdraw(receipt) == Noted()
        assert [one.seal for one in await of.read_all()] == [Seal.FORGOTTEN]

    with_line(tmp_path, main)


# ---- whatever the disk does ----


class Away(Database):
    """A server that has stopped."""

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        raise StoreUnavailable("it is away")

    async def write(self, work: Callable[[Connection], T]) -> T:
        raise StoreUnavailable("it is away")


class Stuck(Database):
    """Takes what it is asked, and does it when it is let."""

    let: asyncio.Event

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        await self.let.wait()
        return await super().read(work, snapshot=snapshot)

    async def write(self, work: Callable[[Connection], T]) -> T:
        await self.let.wait()
        return await super().write(work)


class SlowToTell(Stuck):
    """Does at once what it is asked, and says so when it is let: as a disk whose log is slow to reach it."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        done = await Database.write(self, work)
        await self.let.wait()
        return done


class CutOff(Database):
    """Commits what it is asked, and the connection breaks before it can say so."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        await super().write(work)
        raise StoreUnavailable("the server closed the connection")


def address(of: Office) -> str:
    return of.database._url.render_as_string(hide_password=False)


async def everything(receipts: LiveReceipts, code: str, receipt: bytes) -> list[object]:
    return [
        await receipts.open(code),
        await receipts.status(receipt),
        await receipts.change_consent(receipt, "count_only", change_id=bytes(16)),
        await receipts.withdraw(receipt),
    ]


def test_what_a_database_that_is_away_or_silent_surely_did_not_do_is_told_as_not_now(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code = await keep(of)
        receipt = await opened(receipts, code)
        url = f"sqlite:///{tmp_path / 'porchlight.db'}"
        away, stuck = Away(url), Stuck(url)
        stuck.let = asyncio.Event()
        for database, told in ((away, NotNow()), (stuck, Unsure())):
            one = replace(receipts, database=database, seconds=0.05)
            assert await everything(one, code, receipt) == [NotNow(), NotNow(), told, told]
        stuck.let.set()
        await receipts.close()
        await stuck.close()

    with_line(tmp_path, main)


@pytest.mark.parametrize("lost", ["the secret", "the keys"])
def test_a_line_that_has_lost_its_keys_cannot_say_anything(tmp_path: Path, lost: str) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code = await keep(of)
        receipt = await opened(receipts, code)
        if lost == "the keys":
            await execute(of, delete(line_keys))
        else:
            receipts = replace(receipts, host=HostKey.of(b"another"))
        assert await everything(receipts, code, receipt) == [NotNow()] * 4

    with_line(tmp_path, main)


def test_a_slow_hash_that_takes_too_long_is_told_as_not_now(tmp_path: Path) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        code = await keep(of)
        let = threading.Event()
        made: list[str] = []

        def slow(code: str, *, site_salt: bytes) -> bytes:
            made.append(code)
            assert let.wait(10)
            return bytes(32)

        hashes = SlowHashes(slow)
        hasty = replace(receipts, slow_hashes=hashes, seconds=0.2)
        try:
            tried = [hasty.open(one) for one in (code, NOBODY_S, NOBODY_S)]
            assert await asyncio.gather(*tried) == [NotNow()] * 3
            await receipts.close()
        finally:
            let.set()
        hashes.close()
        assert len(made) <= 1, "nobody waits for the others any more"

    with_line(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_that_she_was_told_nobody_is_sure_of_undoes_no_later_one(tmp_path: Path, kind: str) -> None:
    """She may have chosen otherwise since, and another worker may have done that."""

    async def main(of: Office, receipts: LiveReceipts) -> None:
        receipt = await opened(receipts, await keep(of, consent="warn_others"))
        stuck = Stuck(address(of))
        stuck.let = asyncio.Event()
        slow = replace(receipts, database=stuck, seconds=0.05)
        assert await slow.change_consent(receipt, "pass_on", change_id=b"a" * 16) == Unsure()
        assert await receipts.change_consent(receipt, "count_only", change_id=b"b" * 16) == Noted()
        stuck.let.set()
        await receipts.close()
        assert await consents(of) == [("count_only", True)]
        assert await receipts.change_consent(receipt, "pass_on", change_id=b"c" * 16) == Noted()
        assert await consents(of) == [("pass_on", True)]
        await stuck.close()

    with_line(tmp_path, main, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("made_of", [SlowToTell, CutOff])
def test_what_was_committed_is_never_told_as_not_done_and_trying_again_does_no_harm(
    tmp_path: Path, made_of: type[Database], kind: str
) -> None:
    async def main(of: Office, receipts: LiveReceipts) -> None:
        receipt = await opened(receipts, await keep(of))
        database = made_of(address(of))
        if isinstance(database, Stuck):
            database.let = asyncio.Event()
        doubted = replace(receipts, database=database, seconds=SOON)
        assert await doubted.change_consent(receipt, "count_only", change_id=b"a" * 16) == Unsure()
        assert await receipts.change_consent(receipt, "count_only", change_id=b"b" * 16) == Noted()
        assert await consents(of) == [("count_only", True)]
        assert await doubted.change_consent(receipt, "warn_others", change_id=b"c" * 16) == Unsure()
        assert await receipts.change_consent(receipt, "pass_on", change_id=b"d" * 16) == Noted()
        assert await consents(of) == [("pass_on", True)]
        assert await doubted.withdraw(receipt) == Unsure()
        assert await receipts.withdraw(receipt) == Noted()
        assert [one.seal for one in await of.read_all()] == [Seal.FORGOTTEN]
        if isinstance(database, Stuck):
            database.let.set()
        await receipts.close()
        await database.close()

    with_line(tmp_path, main, kind=kind)
