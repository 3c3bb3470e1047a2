"""What is forgotten each night, when, and by whom."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Executable, delete, select, update

from ivr.engine.asks import Saved, SaveReport
from ivr.kit.clock import VirtualClock
from ivr.services.archive import Seal
from ivr.services.receipts import Receipts
from ivr.services.retention import Night, Purged
from ivr.store import contributions
from ivr.store.contributions import ContributionRow
from ivr.store.reports import MAX_TURN
from ivr.store.tables import advocates, epochs, jobs, line_keys, report_keys, reports
from ivr.vault.host import HostKey
from tests.founded import NOW, Office, in_office
from tests.shipped import flow
from tests.store.databases import KINDS

KEPT = flow().forms["bad_date"].keep_days
REPORT = SaveReport(form="bad_date", visit=1, answers=(("what", ("taken",)),), consent="pass_on", ending=1)
NEW_YORK = ZoneInfo("America/New_York")

Main = Callable[[Office, VirtualClock, Night], Coroutine[Any, Any, None]]


def with_office(directory: Path, main: Main, *, kind: str = "sqlite") -> None:
    async def run(of: Office) -> None:
        clock = VirtualClock(NOW)
        await main(of, clock, Night(of.database, of.host, of.pin, flow(), clock))

    in_office(directory, run, kind=kind)


async def keep(of: Office, n: int, day: date, **changes: Any) -> str | None:
    kept = of.reports()
    saved = await kept.keep(replace(REPORT, **changes), seed=n.to_bytes(16), turn=7, today=day)
    await kept.close()
    assert isinstance(saved, Saved)
    return saved.receipt


async def rows(of: Office) -> list[Any]:
    return await of.database.read(lambda connection: list(connection.execute(select(reports))))


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=NEW_YORK).astimezone(UTC)


@settings(max_examples=12, deadline=None)
@given(st.dates(date(2026, 11, 2), date(2027, 2, 20)))
def test_a_report_is_kept_as_long_as_its_form_says_from_the_monday_of_its_week_and_no_day_longer(
    tmp_path_factory: pytest.TempPathFactory, day: date
) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, day)
        monday = day - timedelta(days=day.weekday())
        assert (await night.purge(monday + timedelta(days=KEPT - 1))).reports == {}
        assert (await night.purge(monday + timedelta(days=KEPT))).reports == {"bad_date": 1}
        assert await rows(of) == []

    with_office(tmp_path_factory.mktemp("line"), main)


@pytest.mark.parametrize("kind", KINDS)
def test_what_has_expired_goes_with_its_key_its_notes_and_at_last_its_epoch(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, date(2026, 11, 3))
        await keep(of, 2, date(2026, 12, 8))
        ana = await of.session()
        for listed in await of.archive.page():
            await of.archive.note(listed.id, ana, text="seen", today=NOW.date())
        of.now = datetime(2027, 2, 13, tzinfo=UTC)
        done = await night.purge(of.now.date())
        assert done == Purged({"bad_date": 1}, contributions=0, epochs=("2026-11",), closed=0)
        [left] = await of.read_all()
        assert (left.seal, left.listed.epoch, len(left.notes)) == (Seal.OPENED, "2026-12", 1)
        assert "2026-11" not in (await of.session()).epoch_keys

    with_office(tmp_path, main, kind=kind)


def test_a_tombstone_stays_until_its_week_has_expired_and_keeps_its_epoch(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        receipt = await keep(of, 1, date(2026, 11, 3))
        assert receipt
        await Receipts(of.database, of.host, of.pin, of.slow_hashes).withdraw(receipt)
        assert (await night.purge(date(2027, 1, 10))).epochs == ()
        assert [row.state for row in await rows(of)] == ["taken_back"]
        assert (await night.purge(date(2027, 3, 20))).epochs == ("2026-11", "2026-12", "2027-01")

    with_office(tmp_path, main)


def test_the_epoch_that_takes_reports_lives_also_when_they_have_run_out(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        assert (await night.purge(date(2027, 11, 1))).epochs == ("2026-11", "2026-12", "2027-01")
        assert await keep(of, 1, date(2027, 11, 1))

    with_office(tmp_path, main)


def test_an_epoch_without_reports_waits_for_what_may_still_lie_in_a_spool(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        assert (await night.purge(date(2026, 12, 14))).epochs == ()
        assert (await night.purge(date(2026, 12, 21))).epochs == ("2026-11",)

    with_office(tmp_path, main)


def test_reports_of_a_form_that_is_gone_from_the_flow_are_kept_as_long_as_the_longest(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, date(2026, 11, 2), form="former")
        longest = max(form.keep_days for form in flow().forms.values())
        assert (await night.purge(date(2026, 11, 2) + timedelta(days=longest - 1))).reports == {}
        assert (await night.purge(date(2026, 11, 2) + timedelta(days=longest))).reports == {"former": 1}

    with_office(tmp_path, main)


def test_contributions_go_by_their_own_last_day(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        for n, until in enumerate(("2026-12-01", "2026-12-02")):
            row = ContributionRow(bytes([n]) * 16, "alert", "pass_on", b"derived", until)
            await of.database.write(partial(contributions.put, row=row))
        assert (await night.purge(date(2026, 12, 1))).contributions == 0
        assert (await night.purge(date(2026, 12, 2))).contributions == 1
        assert [row.until for row in await of.database.read(contributions.all_contributions)] == ["2026-12-02"]

    with_office(tmp_path, main)


def test_a_preview_says_the_same_and_changes_nothing(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, date(2026, 11, 3))
        day = date(2027, 3, 1)
        previewed = await night.preview(day)
        assert len(await rows(of)) == 1
        assert await night.purge(day) == previewed
        assert previewed.reports == {"bad_date": 1}

    with_office(tmp_path, main)


# The night


@pytest.mark.parametrize("kind", KINDS)
def test_a_night_s_work_is_done_once_by_one_worker_after_three_in_the_morning(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, date(2026, 11, 3))
        due = date(2027, 3, 1)
        clock.at = at(due, 2)
        assert await night.work_if_due() is None
        clock.at = at(due, 3)
        nights = [Night(of.database, of.host, of.pin, flow(), clock) for _ in range(4)]
        done = await asyncio.gather(*(one.work_if_due() for one in nights))
        assert [one.reports for one in done if one is not None] == [{"bad_date": 1}]
        clock.at = at(due, 23)
        assert await night.work_if_due() is None
        clock.at = at(due + timedelta(days=1), 9)
        assert await night.work_if_due() is not None

    with_office(tmp_path, main, kind=kind)


def test_a_clock_that_is_wrong_for_a_while_forgets_nothing_and_stops_no_night(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        day = date(2026, 11, 23)
        await keep(of, 1, day)

        async def worked(on: date) -> Purged | None:
            clock.at = at(on, 4)
            return await night.work_if_due()

        assert await worked(day) == Purged({}, 0, (), closed=0)
        for wrong in (date(2028, 1, 1), date(2026, 11, 2), date(2030, 5, 5)):
            jumped = await worked(wrong)
            assert jumped == Purged({}, 0, (), closed=0, waits=True), wrong
            assert len(await rows(of)) == 1
        back = await worked(day + timedelta(days=1))
        assert back is not None
        assert back.waits, "the last night is still to come"
        for later in range(2, 5):
            assert await worked(day + timedelta(days=later)) == Purged({}, 0, (), closed=0)

    with_office(tmp_path, main)


def test_a_line_that_was_off_for_long_forgets_on_its_second_night(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        day = date(2026, 11, 23)
        await keep(of, 1, day)
        found = []
        for later in (0, 400, 401):
            clock.at = at(day + timedelta(days=later), 4)
            done = await night.work_if_due()
            assert done is not None
            found.append((done.waits, dict(done.reports)))
        assert found == [(False, {}), (True, {}), (False, {"bad_date": 1})]

    with_office(tmp_path, main)


@pytest.mark.parametrize("planted", ["2999-01-01", "zzzz", ""])
def test_another_hand_s_day_keeps_no_night_from_being_worked(tmp_path: Path, planted: str) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, date(2026, 11, 3))
        due = date(2027, 3, 1)
        clock.at = at(due, 4)
        await of.database.write(lambda found: found.execute(jobs.insert().values(name="night", ran_on=planted)))
        await of.database.write(lambda found: found.execute(jobs.insert().values(name="rewriting", ran_on=planted)))
        first = await night.work_if_due()
        assert first is not None
        assert first.waits
        assert await night.work_if_due() is None
        clock.at = at(due + timedelta(days=1), 4)
        second = await night.work_if_due()
        assert second is not None
        assert second.reports == {"bad_date": 1}

    with_office(tmp_path, main)


class Interrupted(Exception):
    """A worker that dies in the middle of the night's work."""


def test_a_worker_that_dies_at_work_has_not_done_it(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, date(2026, 11, 3))
        clock.at = at(date(2027, 3, 1), 4)

        def dies(connection: Connection) -> None:
            assert night._night(connection, date(2027, 3, 1)) is not None
            raise Interrupted

        with pytest.raises(Interrupted):
            await of.database.alone(dies)
        done = await night.work_if_due()
        assert done is not None
        assert done.reports == {"bad_date": 1}

    with_office(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_on_its_second_night_a_call_that_was_cut_off_no_longer_tells_how_far_it_went(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, NOW.date(), ending=0)
        [cut_off] = await rows(of)
        await keep(of, 2, NOW.date())
        for day, closed, turn in ((23, 0, 7), (24, 1, MAX_TURN)):
            clock.at = at(date(2026, 11, day), 3)
            done = await night.work_if_due()
            assert done is not None
            assert done.closed == closed
            assert {row.id: row.turn for row in await rows(of)}[cut_off.id] == turn
        assert [report.trusted for report in await of.read_all()] == [True, True]
        keys = await of.database.read(lambda connection: list(connection.execute(select(report_keys))))
        assert {row.nights_left for row in keys} == {None}

    with_office(tmp_path, main, kind=kind)


def test_a_call_that_goes_on_over_a_night_still_saves_and_begins_its_nights_anew(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, NOW.date(), ending=0)
        clock.at = at(date(2026, 11, 23), 3)
        await night.work_if_due()
        kept = of.reports()
        later = replace(REPORT, ending=0, consent="count_only")
        await kept.keep(later, seed=(1).to_bytes(16), turn=8, today=date(2026, 11, 23))
        clock.at = at(date(2026, 11, 24), 3)
        done = await night.work_if_due()
        assert done is not None
        assert (done.closed, [row.consent for row in await rows(of)]) == (0, ["count_only"])

    with_office(tmp_path, main)


def test_a_planted_report_is_not_signed_in_passing(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, NOW.date(), ending=0)
        planting = update(reports).values(consent="warn_others")
        await of.database.write(lambda connection: connection.execute(planting).rowcount)
        for day in (23, 24):
            clock.at = at(date(2026, 11, day), 3)
            await night.work_if_due()
        assert [listed.trusted for listed in await of.archive.page()] == [False]

    with_office(tmp_path, main)


LOST = {
    "the secret": (),
    "the line's own keys": (delete(line_keys),),
    "everybody's": (delete(line_keys), delete(advocates)),
}


@pytest.mark.parametrize("damage", LOST.values(), ids=LOST)
def test_forgetting_does_not_wait_for_lost_keys(tmp_path: Path, damage: tuple[Executable, ...]) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await keep(of, 1, date(2026, 11, 3))

        def lose(connection: Connection) -> None:
            for statement in damage:
                connection.execute(statement)

        await of.database.write(lose)
        clock.at = at(date(2027, 3, 1), 4)
        done = await Night(of.database, HostKey.of(b"another"), of.pin, flow(), clock).work_if_due()
        assert done is not None
        assert done.reports == {"bad_date": 1}
        left = await of.database.read(lambda connection: list(connection.execute(select(epochs.c.id)).scalars()))
        assert left == ["2027-02"]

    with_office(tmp_path, main)
