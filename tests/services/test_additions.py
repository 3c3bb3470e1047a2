"""What a caller adds to her report: it has her report's receipt, week and consent, is read as an addition, and is
written only while her report lives."""

import csv
import io
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, delete, select, update

from ivr.engine.asks import Answers, Noted, NotSaved, Opened, Saved, SaveReport, StatusIs
from ivr.kit.clock import VirtualClock
from ivr.services.archive import OpenReport, Seal
from ivr.services.custody import members
from ivr.services.exporting import export_of
from ivr.services.retention import Night
from ivr.store.reports import MAX_TURN, turn_of_ending
from ivr.store.tables import report_keys, reports
from ivr.vault import receipts as vault
from ivr.vault import sealing
from ivr.vault.advocates import Role
from ivr.vault.sealing import Place, Sealed
from tests.founded import CHEAP, NOW, PASSPHRASE, Office, in_office
from tests.shipped import flow
from tests.store.databases import KINDS

TODAY = NOW.date()
HERS = b"e" * 16
LATER = b"l" * 16
"""The seeds of the call in which she reported, and of the one in which she added."""

ROBBED: Answers = (("what", ("robbed", "taken")), ("when", ("today",)))
VAN: Answers = (("vehicle", ("van",)),)
REPORT = SaveReport(form="bad_date", visit=1, answers=ROBBED, consent="warn_others", ending=1)

Main = Callable[[Office], Coroutine[Any, Any, None]]


async def report(of: Office, *, seed: bytes = HERS, today: date = TODAY, **changes: Any) -> bytes:
    """Keep a report; what its receipt opens."""
    kept = of.reports()
    saved = await kept.keep(replace(REPORT, **changes), seed=seed, turn=9, today=today)
    assert isinstance(saved, Saved)
    assert saved.receipt
    opened = await of.receipts().open(saved.receipt)
    assert isinstance(opened, Opened)
    await kept.close()
    return opened.receipt


def addition(receipt: bytes, **changes: Any) -> SaveReport:
    ask = SaveReport(form="bad_date", visit=1, answers=VAN, consent="pass_on", ending=1, adds_to=receipt)
    return replace(ask, **changes)


async def add(
    of: Office, ask: SaveReport, *, turn: int = 5, seed: bytes = LATER, today: date = TODAY
) -> Saved | NotSaved:
    kept = of.reports()
    saved = await kept.keep(ask, seed=seed, turn=turn, today=today)
    await kept.close()
    return saved


async def rows(of: Office) -> list[Any]:
    return await of.database.read(lambda connection: list(connection.execute(select(reports).order_by(reports.c.id))))


async def execute(of: Office, *statements: Executable) -> None:
    def run(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    await of.database.write(run)


def added_in(found: Sequence[OpenReport]) -> list[OpenReport]:
    return [one for one in found if one.is_addition]


@pytest.mark.parametrize("kind", KINDS)
def test_an_addition_shares_all_but_its_id_with_its_report_and_is_read_as_one(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of)
        assert await add(of, addition(receipt), today=TODAY + timedelta(days=40)) == Saved(None)
        first, second = await of.read_all()
        added, hers = (first, second) if first.is_addition else (second, first)
        for name in ("form", "epoch", "week", "consent", "state", "trusted", "ended"):
            assert getattr(added.listed, name) == getattr(hers.listed, name), name
        assert (hers.answers, hers.day, hers.is_addition, hers.adds_to) == (ROBBED, "2026-11-22", False, None)
        assert (added.answers, added.day, added.adds_to) == (VAN, "2027-01-01", hers.listed.id)
        assert added.listed.id == vault.addition_id(LATER, "bad_date", receipt, visit=1)
        assert len({row.receipt_tag for row in await rows(of)}) == 1
        listed = {one.id: one.together for one in await of.archive.page()}
        assert listed == {hers.listed.id: (added.listed.id,), added.listed.id: (hers.listed.id,)}

    in_office(tmp_path, main, kind=kind)


def test_its_body_holds_the_handle_of_its_report_so_that_what_is_derived_goes_with_both(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of)
        await add(of, addition(receipt))
        session = await of.session()
        found = await of.database.read(lambda connection: list(connection.execute(select(report_keys))))
        keys = {row.report_id: row.sealed_key for row in found}
        handles = set()
        for row in await rows(of):
            place = Place(row.id, row.form, row.epoch)
            body = sealing.open_body(Sealed(row.body, keys[row.id]), place, epoch_key=session.epoch_keys[row.epoch])
            assert body is not None
            handles.add(body.handle)
        assert handles == {vault.handle(receipt)}

    in_office(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_taking_the_report_back_takes_back_what_was_added_and_nothing_can_be_added_any_more(
    tmp_path: Path, kind: str
) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of)
        other = await report(of, seed=b"o" * 16)
        for n in range(2):
            assert await add(of, addition(receipt, visit=n + 1)) == Saved()
        assert await add(of, addition(other), seed=b"p" * 16) == Saved()
        assert await of.receipts().withdraw(receipt) == Noted()
        seals = sorted((one.seal, one.trusted) for one in await of.read_all())
        assert seals == [(Seal.FORGOTTEN, True)] * 3 + [(Seal.OPENED, True)] * 2
        before = await rows(of)
        for late in (addition(receipt), addition(receipt, visit=3), addition(receipt, ending=7)):
            assert await add(of, late) == NotSaved()
        assert await rows(of) == before
        assert await of.receipts().status(receipt) == StatusIs("taken_back", "count_only")

    in_office(tmp_path, main, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_consent_is_one_for_the_report_and_all_that_was_added(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of)
        await add(of, addition(receipt))
        await add(of, addition(receipt, visit=2, ending=0), turn=6)
        for n, consent in enumerate(("pass_on", "count_only")):
            assert await of.receipts().change_consent(receipt, consent, change_id=bytes([n]) * 16) == Noted()
            assert {(one.listed.consent, one.trusted) for one in await of.read_all()} == {(consent, True)}
        assert await add(of, addition(receipt, visit=2), turn=8) == Saved()
        assert await add(of, addition(receipt, visit=3, ending=0), turn=9) == Saved()
        assert [one.listed.consent for one in await of.read_all()] == ["count_only"] * 4

    in_office(tmp_path, main, kind=kind)


def test_late_and_doubled_saves_of_an_addition_undo_nothing(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of)
        first, then = addition(receipt, ending=0), addition(receipt, ending=0, answers=(*VAN, ("phone", ("555",))))
        last = addition(receipt, answers=(*VAN, ("phone", ("5550142",))))
        for ask, turn, answers in (
            (first, 4, VAN),
            (then, 6, then.answers),
            (first, 4, then.answers),
            (then, 6, then.answers),
            (last, 8, last.answers),
            (then, 99, last.answers),
            (last, 8, last.answers),
        ):
            assert await add(of, ask, turn=turn) == Saved(None)
            [added] = added_in(await of.read_all())
            assert added.answers == answers
        assert {row.turn for row in await rows(of)} == {turn_of_ending(1)}

    in_office(tmp_path, main)


def test_a_second_addition_of_one_call_and_one_of_another_call_are_additions_of_their_own(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of)
        for seed, visit in ((LATER, 1), (LATER, 2), (b"m" * 16, 1)):
            assert await add(of, addition(receipt, visit=visit), seed=seed) == Saved()
        found = await of.read_all()
        [hers] = [one.listed for one in found if not one.is_addition]
        assert [one.adds_to for one in added_in(found)] == [hers.id] * 3
        assert len(hers.together) == 0, "only a list tells which belong together"
        assert {len(one.together) for one in await of.archive.page()} == {3}

    in_office(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_call_adds_to_two_reports_is_there_for_each_of_them(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        receipts = [await report(of), await report(of, seed=b"o" * 16)]
        for receipt in receipts:
            for turn, ending in ((5, 0), (6, 1)):
                assert await add(of, addition(receipt, ending=ending), turn=turn) == Saved()
        found = await of.read_all()
        assert {one.adds_to for one in added_in(found)} == {one.listed.id for one in found if not one.is_addition}
        assert len(added_in(found)) == 2

    in_office(tmp_path, main, kind=kind)


@pytest.mark.parametrize("otherwise", [{"receipt_tag": bytes(16)}, {"state": "taken_back"}], ids=["tag", "state"])
def test_an_addition_is_not_told_as_saved_where_something_else_lies_in_its_place(
    tmp_path: Path, otherwise: dict[str, Any]
) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of)
        assert await add(of, addition(receipt)) == Saved()
        [added] = added_in(await of.read_all())
        await execute(of, update(reports).where(reports.c.id == added.listed.id).values(otherwise))
        assert await add(of, addition(receipt)) == NotSaved()

    in_office(tmp_path, main)


def test_nothing_is_added_where_no_such_report_lives(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of)
        for ask in (addition(bytes(32)), addition(receipt, form="robbery"), addition(b"short")):
            assert await add(of, ask) == NotSaved()
        await execute(of, update(reports).values(consent="count_only"))  # nobody vouches for it any more
        assert await add(of, addition(receipt)) == NotSaved()
        await execute(of, delete(reports))
        assert await add(of, addition(receipt)) == NotSaved()
        assert await rows(of) == []

    in_office(tmp_path, main)


def test_a_row_that_somebody_planted_lends_an_addition_nothing(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of, consent="count_only")
        [hers] = await rows(of)
        planted = {**hers._asdict(), "id": bytes(16), "week": "2099-W01", "consent": "pass_on"}
        await execute(of, reports.insert().values(planted))
        assert await add(of, addition(receipt)) == Saved()
        [added] = added_in(await of.read_all())
        assert (added.listed.week, added.listed.consent, added.adds_to) == (hers.week, "count_only", hers.id)
        together = {one.id: one.together for one in await of.archive.page()}
        assert together[bytes(16)] == ()
        assert together[hers.id] == (added.listed.id,)

    in_office(tmp_path, main)


def test_an_addition_never_waits_in_the_spool(tmp_path: Path) -> None:
    """What would be added to a report that is taken back meanwhile."""

    async def main(of: Office) -> None:
        receipt = await report(of)
        (tmp_path / "porchlight.db").rename(tmp_path / "elsewhere.db")
        assert await add(of, addition(receipt)) == NotSaved()
        (tmp_path / "elsewhere.db").rename(tmp_path / "porchlight.db")
        assert await of.spool.is_empty()
        assert await add(of, addition(receipt)) == Saved()

    in_office(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_an_addition_expires_with_its_report_and_both_are_counted_as_one(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of, today=date(2026, 11, 23))
        await report(of, seed=b"o" * 16, today=date(2026, 11, 23))
        await add(of, addition(receipt), today=date(2026, 12, 24))
        keep_days = flow().forms["bad_date"].keep_days
        night = Night(of.database, of.host, of.pin, flow(), VirtualClock(NOW))
        assert (await night.purge(date(2026, 11, 23) + timedelta(days=keep_days - 1))).reports == {}
        assert (await night.purge(date(2026, 11, 23) + timedelta(days=keep_days))).reports == {"bad_date": 2}
        assert await rows(of) == []

    in_office(tmp_path, main, kind=kind)


def test_an_addition_that_was_cut_off_is_closed_on_its_second_night_like_a_report(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        receipt = await report(of)
        assert await add(of, addition(receipt, ending=0), turn=7) == Saved()
        clock = VirtualClock(NOW.replace(hour=9))
        night = Night(of.database, of.host, of.pin, flow(), clock)
        for closed in (0, 1):
            done = await night.work_if_due()
            assert done is not None
            assert done.closed == closed
            clock.advance(timedelta(days=1))
        assert {row.turn for row in await rows(of)} == {turn_of_ending(1), MAX_TURN}
        assert [one.trusted for one in await of.read_all()] == [True, True]

    in_office(tmp_path, main)


def test_an_addition_is_decided_on_and_exported_by_itself(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        ana = await of.session()
        await members.add(of.database, ana, name="bo", passphrase=PASSPHRASE, role=Role.ADVOCATE, effort=CHEAP)
        receipt = await report(of, consent="pass_on")
        await add(of, addition(receipt))
        [added] = added_in(await of.read_all(ana))
        assert added.adds_to is not None
        await of.archive.decide(added.adds_to, ana, confirmed=True)
        assert (await of.receipts().status(receipt)) == StatusIs("confirmed", "pass_on")
        made = await export_of(of.archive, ana, await of.session("bo"))
        assert (made.count, made.added, made.left_out) == (1, 0, "1 not confirmed")
        await of.archive.decide(added.listed.id, ana, confirmed=True)
        made = await export_of(of.archive, ana, await of.session("bo"))
        assert (made.count, made.added, made.left_out) == (1, 1, "")
        table = list(csv.DictReader(io.StringIO(made.csv)))
        adding = {line["report"]: line["adds_to"] for line in table}
        assert adding == {added.adds_to.hex(): "", added.listed.id.hex(): added.adds_to.hex()}

    in_office(tmp_path, main)
