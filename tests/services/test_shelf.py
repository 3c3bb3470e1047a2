"""Without a disk a receipt opens the same: what talks and the terminal play is answered as the line answers it."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace as with_changes

from ivr.engine.asks import (
    Answer,
    Ask,
    AskStatus,
    ChangeConsent,
    Gone,
    Noted,
    NotSaved,
    Opened,
    OpenReceipt,
    Saved,
    SaveReport,
    StatusIs,
    Withdraw,
)
from ivr.engine.call import SEED_BYTES, Call, begin
from ivr.kit.clock import VirtualClock
from ivr.services.rehearsal import Memory
from ivr.services.retention import Night
from ivr.services.shelf import Shelf
from ivr.services.tagged import CONFIRMED
from ivr.services.world import by_receipt
from tests.founded import NOW, Office, in_office
from tests.shipped import flow

REPORT = SaveReport("bad_date", 1, (("what", ("taken",)),), "warn_others", ending=1)
MORE = SaveReport("bad_date", 1, (("vehicle", ("van",)),), "pass_on", ending=1)


def call(turn: int) -> Call:
    return with_changes(begin(flow(), seed=bytes(SEED_BYTES), at=NOW), turn=turn)


class Kinds:
    """The same asks, of a disk."""

    def __init__(self, of: Office) -> None:
        self.reports, self.receipts = of.reports(), of.receipts()

    async def answer(self, ask: Ask, of: Call, leg: bytes) -> Answer:
        if isinstance(ask, SaveReport):
            return await self.reports.keep(ask, seed=of.seed, turn=of.turn, today=NOW.date())
        assert isinstance(ask, OpenReceipt | AskStatus | ChangeConsent | Withdraw)
        return await by_receipt(self.receipts, ask, of)


async def told(world: Memory | Kinds) -> list[Answer]:
    """A whole life of a report, some of it twice."""
    saved = await world.answer(REPORT, call(9), b"")
    assert isinstance(saved, Saved)
    assert saved.receipt
    opened = await world.answer(OpenReceipt(saved.receipt), call(10), b"")
    assert isinstance(opened, Opened)
    receipt = opened.receipt
    assert len(receipt) == 32
    asks: list[Ask] = [
        OpenReceipt("999999999999"),
        AskStatus(receipt),
        replace(MORE, adds_to=receipt),
        replace(MORE, adds_to=bytes(32)),
        ChangeConsent(receipt, "count_only", 12),
        ChangeConsent(receipt, "pass_on", 14),
        ChangeConsent(receipt, "count_only", 12),
        AskStatus(receipt),
        Withdraw(receipt),
        Withdraw(receipt),
        ChangeConsent(receipt, "count_only", 12),
        ChangeConsent(receipt, "count_only", 16),
        replace(MORE, adds_to=receipt),
        AskStatus(receipt),
    ]
    answers = [await world.answer(ask, call(20 + n), b"") for n, ask in enumerate(asks)]
    again = await world.answer(OpenReceipt(saved.receipt), call(50), b"")
    assert again == Opened(receipt, "bad_date", is_gone=True)
    return answers


EXPECTED = [
    Gone(),
    StatusIs("new", "warn_others"),
    Saved(),
    NotSaved(),
    Noted(),
    Noted(),
    Noted(),
    StatusIs("new", "pass_on"),
    Noted(),
    Noted(),
    Noted(),
    Gone(),
    NotSaved(),
    StatusIs("taken_back", "count_only"),
]


def test_the_terminal_answers_receipts_as_expected() -> None:
    assert asyncio.run(told(Memory())) == EXPECTED


def test_the_line_answers_the_same_asks_the_same(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        assert await told(Kinds(of)) == EXPECTED

    in_office(tmp_path, main)


def test_what_is_kept_in_a_talk_is_what_was_last_allowed_and_nothing_that_was_taken_back() -> None:
    async def main() -> None:
        memory = Memory()
        shelf = memory.shelf
        shelf.give(REPORT, "123456789012", state=CONFIRMED)
        opened = await memory.answer(OpenReceipt("123456789012"), call(1), b"")
        assert isinstance(opened, Opened)
        await memory.answer(replace(MORE, adds_to=opened.receipt), call(2), b"")
        await memory.answer(ChangeConsent(opened.receipt, "count_only", 3), call(3), b"")
        assert [one.consent for one in (*shelf.given.values(), *shelf.additions.values())] == ["count_only"] * 2
        assert await memory.answer(AskStatus(opened.receipt), call(4), b"") == StatusIs(CONFIRMED, "count_only")
        await memory.answer(Withdraw(opened.receipt), call(5), b"")
        assert (shelf.given, shelf.additions, shelf.reports) == ({}, {}, {})

    asyncio.run(main())


DAYS_KEPT = flow().forms["bad_date"].keep_days
NEW_YORK = ZoneInfo("America/New_York")
TUESDAY = date(2026, 11, 24)
LAST = TUESDAY - timedelta(days=1) + timedelta(days=DAYS_KEPT - 1)
"""Counted from the Monday of its week."""


@pytest.mark.parametrize("made", [TUESDAY - timedelta(days=1), TUESDAY, TUESDAY + timedelta(days=5)])
def test_a_receipt_is_late_at_the_same_hour_in_a_talk_and_on_the_line(tmp_path: Path, made: date) -> None:
    moments = [datetime.combine(LAST, time(3)), datetime.combine(LAST, time(23, 59))]
    moments += [datetime.combine(LAST + timedelta(days=1), time(hour, minute)) for hour, minute in ((2, 59), (3, 0))]

    async def main(of: Office) -> None:
        clock, shelf, reports = VirtualClock(NOW), Shelf(), of.reports()
        night = Night(of.database, of.host, of.pin, flow(), clock)
        kept = await reports.keep(REPORT, seed=bytes(SEED_BYTES), turn=7, today=made)
        await reports.close()
        assert isinstance(kept, Saved)
        assert kept.receipt
        shelf.give(REPORT, kept.receipt, made=made)
        found = []
        for moment in moments:
            now = moment.replace(tzinfo=NEW_YORK).astimezone(UTC)
            clock.advance(now - clock.now())
            await night.work_if_due()
            shelf.forget(flow(), now)
            for receipts in (of.receipts(), shelf):
                found.append(type(await receipts.open(kept.receipt)))
        assert found == [Opened] * 6 + [Gone] * 2

    in_office(tmp_path, main)


def test_a_report_that_is_kept_for_a_day_is_not_forgotten_in_the_night_before_it_was_made() -> None:
    form = replace(flow().forms["bad_date"], keep_days=1)
    short = replace(flow(), forms={**flow().forms, "bad_date": form})
    shelf = Shelf()
    shelf.give(REPORT, "123456789012", made=TUESDAY)
    for day, left in ((TUESDAY, 1), (TUESDAY + timedelta(days=1), 0)):
        shelf.forget(short, datetime.combine(day, time(12), NEW_YORK))
        assert len(shelf.given) == left


def test_what_was_added_is_forgotten_with_its_report() -> None:
    async def main() -> None:
        memory, now = Memory(), datetime.combine(LAST + timedelta(days=1), time(3), NEW_YORK)
        shelf = memory.shelf
        shelf.give(REPORT, "123456789012", made=TUESDAY)
        shelf.give(REPORT, "123456789013", made=TUESDAY + timedelta(days=7))
        opened = await memory.answer(OpenReceipt("123456789012"), call(1), b"")
        assert isinstance(opened, Opened)
        await memory.answer(replace(MORE, adds_to=opened.receipt), call(2), b"")
        shelf.forget(flow(), now)
        assert (len(shelf.given), len(shelf.additions)) == (1, 0)
        assert await memory.answer(AskStatus(opened.receipt), call(4), b"") == Gone()
        assert await memory.answer(Withdraw(opened.receipt), call(5), b"") == Gone()

    asyncio.run(main())


@pytest.mark.parametrize("turn", [7, 8])
def test_the_receipt_of_a_talk_is_the_one_that_was_heard_last(turn: int) -> None:
    async def main() -> None:
        memory = Memory()
        saved = await memory.answer(REPORT, call(turn), b"")
        assert saved == Saved(memory.shelf.code)
        assert isinstance(await memory.answer(OpenReceipt(memory.shelf.code), call(9), b""), Opened)

    asyncio.run(main())


def test_what_one_call_adds_to_two_reports_is_kept_for_each_of_them() -> None:
    async def main() -> None:
        memory, receipts = Memory(), set[bytes]()
        for code in ("123456789012", "123456789013"):
            memory.shelf.give(REPORT, code)
            opened = await memory.answer(OpenReceipt(code), call(1), b"")
            assert isinstance(opened, Opened)
            receipts.add(opened.receipt)
            await memory.answer(replace(MORE, adds_to=opened.receipt), call(2), b"")
        assert {one.adds_to for one in memory.shelf.additions.values()} == receipts

    asyncio.run(main())
