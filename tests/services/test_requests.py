"""Requests to be called: sealed like reports, kept for so many nights and no night longer, wherever they lie; gone at
once when somebody has called."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, select, text, update

from ivr.engine.asks import NotSaved, Saved, SaveReport
from ivr.kit.clock import VirtualClock
from ivr.services import nights
from ivr.services.archive import CannotDecide, Listed, Seal
from ivr.services.custody import members
from ivr.services.exporting import export_of
from ivr.services.retention import Night, Purged
from ivr.store import jobs as stored_jobs
from ivr.store.tables import notes, report_keys, reports
from ivr.vault.advocates import Role
from tests.founded import CHEAP, NOW, PASSPHRASE, Office, office
from tests.promises.weather import Weather
from tests.shipped import flow
from tests.store.databases import KINDS, database_of

REQUEST = SaveReport(
    form="callback",
    visit=1,
    answers=(("phone", ("2125550123",)), ("hours", ("evening",)), ("message", ("no",))),
    consent="request",
    ending=1,
    nights=3,
)
NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 11, 23)

Main = Callable[[Office, VirtualClock, Night], Coroutine[Any, Any, None]]


def with_office(directory: Path, main: Main, *, kind: str = "sqlite") -> None:
    async def run(of: Office) -> None:
        clock = VirtualClock(NOW)
        await main(of, clock, Night(of.database, of.host, of.pin, flow(), clock, of.spool))

    async def on(url: str) -> None:
        async with office(url, directory) as founded:
            of = replace(founded, database=Weather(url))
            try:
                await run(of)
            finally:
                await of.database.close()

    with database_of(kind, directory) as url:
        asyncio.run(on(url))


async def ask(of: Office, n: int = 1, day: date = MONDAY, **changes: Any) -> None:
    kept = of.reports()
    assert await kept.keep(replace(REQUEST, **changes), seed=n.to_bytes(16), turn=7, today=day) == Saved(None)
    await kept.close()


def at(day: date, hour: int = 3, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def later(days: int) -> date:
    return MONDAY + timedelta(days=days)


async def left(of: Office) -> list[int | None]:
    """The nights left of every request that is there."""
    return [listed.nights_left for listed in await of.archive.page() if listed.is_request]


async def rows(of: Office, table: Table) -> list[Any]:
    return await of.database.read(lambda connection: list(connection.execute(select(table))))


async def only(of: Office) -> Listed:
    [listed] = await of.archive.page()
    return listed


# ---- how it is kept ----


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_sealed_like_a_report_and_nothing_leads_back_to_it(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of)
        [row] = await rows(of, reports)
        assert (row.form, row.consent, row.state, row.receipt_tag) == ("callback", "request", "new", None)
        [opened] = await of.read_all()
        assert (opened.seal, opened.answers, opened.day) == (Seal.OPENED, REQUEST.answers, "2026-11-23")
        assert await left(of) == [3]

    with_office(tmp_path, main, kind=kind)


def test_a_doubled_save_is_one_request_and_a_later_try_begins_its_nights_anew(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of)
        await ask(of)
        assert await left(of) == [3]
        await ask(of, ending=2, nights=2)
        await ask(of)
        assert await left(of) == [2]

    with_office(tmp_path, main)


# ---- nights ----


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_there_for_three_nights_and_goes_in_the_third_with_its_key_and_notes(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        clock.at = at(MONDAY, 3, 0)
        assert await night.work_if_due() is not None
        await ask(of)
        await of.archive.note((await only(of)).id, await of.session(), text="no answer", today=MONDAY)
        found: list[tuple[list[int | None], dict[str, int]]] = []
        for day in (1, 2, 3):
            clock.at = at(later(day), 2, 59)
            assert await night.work_if_due() is None
            clock.at = at(later(day), 3, 0)
            done = await night.work_if_due()
            assert done is not None
            assert await night.work_if_due() is None  # a doubled night counts once
            found.append((await left(of), dict(done.reports)))
        assert found == [([2], {}), ([1], {}), ([], {"callback": 1})]
        assert await rows(of, reports) == await rows(of, report_keys) == await rows(of, notes) == []

    with_office(tmp_path, main, kind=kind)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 71), st.integers(0, 59), st.integers(1, 7))
def test_at_whatever_time_it_comes_it_is_never_kept_longer_than_said(
    tmp_path_factory: pytest.TempPathFactory, hour: int, minute: int, kept_for: int
) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        came = at(MONDAY, 3, 0) + timedelta(hours=hour, minutes=minute, seconds=30)
        clock.at = at(MONDAY, 3, 0)
        while clock.at <= came:
            await night.work_if_due()
            clock.at += timedelta(hours=1)
        await ask(of, nights=kept_for, day=came.astimezone(NEW_YORK).date())
        while await left(of):
            clock.at += timedelta(minutes=30)
            await night.work_if_due()
        span = clock.at - came
        assert timedelta(days=kept_for - 1) < span <= timedelta(days=kept_for, minutes=30)

    with_office(tmp_path_factory.mktemp("line"), main)


def test_workers_that_work_the_same_night_count_it_once(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of)
        clock.at = at(later(1))
        workers = [Night(of.database, of.host, of.pin, flow(), clock, of.spool) for _ in range(4)]
        await asyncio.gather(*(one.work_if_due() for one in workers))
        assert await left(of) == [2]

    with_office(tmp_path, main)


@pytest.mark.parametrize(("off", "still"), [(1, [2]), (2, [1]), (3, []), (7, [])])
def test_nights_on_which_the_line_was_off_count_too(tmp_path: Path, off: int, still: list[int]) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        clock.at = at(MONDAY)
        await night.work_if_due()
        await ask(of)
        clock.at = at(later(off), 10)
        await night.work_if_due()
        assert await left(of) == still

    with_office(tmp_path, main)


def test_who_asks_in_the_first_night_after_the_line_was_off_does_not_pay_for_the_nights_before(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        clock.at = at(MONDAY)
        await night.work_if_due()
        await ask(of, 1)
        clock.at = at(later(3), 1)
        assert await night.work_if_due() is not None, "the night that was missed is worked at once"
        assert await left(of) == [1]
        await ask(of, 2, day=later(3))
        for n, still in ((3, [2]), (4, [1]), (5, [])):
            clock.at = at(later(n))
            await night.work_if_due()
            assert await left(of) == still

    with_office(tmp_path, main)


def test_a_night_that_is_worked_late_closes_no_report_of_a_call_that_may_still_go_on(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        clock.at = at(MONDAY)
        await night.work_if_due()
        kept, cut_off = of.reports(), SaveReport("bad_date", 1, (("what", ("taken",)),), "count_only")
        await kept.keep(cut_off, seed=bytes(16), turn=7, today=later(2))
        for hour in (1, 3):
            clock.at = at(later(2), hour)
            done = await night.work_if_due()
            assert done is not None
            assert done.closed == 0
        again = replace(cut_off, answers=(("what", ("weapon",)),))
        assert await kept.keep(again, seed=bytes(16), turn=8, today=later(2)) == Saved(None)
        await kept.close()
        assert [report.answers for report in await of.read_all()] == [again.answers]

    with_office(tmp_path, main)


def test_a_clock_that_jumps_deletes_no_request_at_one_look(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        clock.at = at(MONDAY)
        await night.work_if_due()
        await ask(of)
        for wrong in (date(2028, 1, 1), date(2026, 11, 2), date(2030, 5, 5)):
            clock.at = at(wrong)
            done = await night.work_if_due()
            assert done is not None
            assert done.waits
            assert await left(of) == [3]
        for n, still in ((1, [3]), (2, [2]), (3, [1]), (4, [])):  # the first says only that the clock is right again
            clock.at = at(later(n))
            await night.work_if_due()
            assert await left(of) == still

    with_office(tmp_path, main)


def test_a_line_that_was_off_for_long_forgets_it_on_its_second_night(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        clock.at = at(MONDAY)
        await night.work_if_due()
        await ask(of)
        found = []
        for n in (40, 41):
            clock.at = at(later(n))
            await night.work_if_due()
            found.append(await left(of))
        assert found == [[3], []]

    with_office(tmp_path, main)


@pytest.mark.parametrize("count", [None, 30_000])
def test_where_another_hand_took_or_changed_its_count_it_goes_by_its_week_later(
    tmp_path: Path, count: int | None
) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of)
        await of.database.write(lambda found: found.execute(update(report_keys).values(nights_left=count)).rowcount)
        gone = []
        for n in range(1, 14):
            clock.at = at(later(n))
            done = await night.work_if_due()
            gone += [n] if done is not None and done.reports else []
        # Saved on a Sunday of that week, it would have been there until the Wednesday.
        assert gone == [10]
        assert await left(of) == []

    with_office(tmp_path, main)


def test_a_request_of_a_form_that_is_gone_from_the_flow_goes_in_its_night_too(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of, 1, form="former")
        await ask(of, 2, form="former")
        first = select(report_keys.c.report_id).order_by(report_keys.c.report_id).limit(1).scalar_subquery()
        without = update(report_keys).where(report_keys.c.report_id == first).values(nights_left=None)
        await of.database.write(lambda found: found.execute(without).rowcount)
        gone: Counter[int] = Counter()
        for n in range(1, 16):
            clock.at = at(later(n))
            done = await night.work_if_due()
            gone[n] += sum(done.reports.values()) if done is not None else 0
        assert +gone == {3: 1, 14: 1}

    with_office(tmp_path, main)


def test_purging_by_hand_counts_no_night(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of)
        for _ in range(5):
            assert await night.preview(later(1)) == await night.purge(later(1)) == Purged({}, 0, (), closed=0)
        assert await left(of) == [3]
        assert (await night.purge(later(10))).reports == {"callback": 1}

    with_office(tmp_path, main)


def test_reports_are_not_counted_down_and_requests_do_not_go_by_their_week(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        kept = of.reports()
        for n, ending in ((7, 1), (8, 0)):
            report = SaveReport("bad_date", 1, (("what", ("taken",)),), "pass_on", ending)
            await kept.keep(report, seed=n.to_bytes(16), turn=3, today=MONDAY)
        await kept.close()
        for n in range(1, 6):
            clock.at = at(later(n))
            await night.work_if_due()
        assert len(await of.archive.page()) == 2
        await ask(of, day=later(6))  # a Sunday: by its week's Monday its three days are over
        assert (await night.purge(later(6))).reports == {}
        assert await left(of) == [3]

    with_office(tmp_path, main)


def test_a_request_is_forgotten_also_where_the_keys_of_the_line_are_lost(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of, nights=1)
        await of.database.write(lambda found: found.execute(text("DELETE FROM line_keys")).rowcount)
        clock.at = at(later(1))
        done = await night.work_if_due()
        assert done is not None
        assert done.reports == {"callback": 1}

    with_office(tmp_path, main)


# ---- while the database is away ----


async def spooled(of: Office, n: int = 1, **changes: Any) -> None:
    """A request that came while the database was away."""
    assert isinstance(of.database, Weather)
    kept = of.reports()
    await kept.ready(MONDAY)
    of.database.away = True
    assert await kept.keep(replace(REQUEST, **changes), seed=n.to_bytes(16), turn=7, today=MONDAY) == Saved(None)
    of.database.away = False
    await kept.close()


async def come_home(of: Office) -> int:
    kept = of.reports()
    try:
        return await kept.bring_home()
    finally:
        await kept.close()


def night_of(connection: Connection) -> str | None:
    return stored_jobs.last_run(connection, nights.JOB)


@pytest.mark.parametrize("kind", KINDS)
def test_what_waited_in_the_spool_comes_home_with_its_nights(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await spooled(of)
        assert await left(of) == []
        assert await come_home(of) == 1
        assert await left(of) == [3]
        assert await come_home(of) == 0

    with_office(tmp_path, main, kind=kind)


def test_nights_in_the_spool_count_and_the_last_one_deletes_it_there(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        clock.at = at(MONDAY)
        await night.work_if_due()
        await spooled(of)
        for n in (1, 2):
            await of.spool.count_night(at(later(n)).astimezone(NEW_YORK))
            await of.spool.count_night(at(later(n), 22).astimezone(NEW_YORK))
            assert not await of.spool.is_empty()
        await of.spool.count_night(at(later(3)).astimezone(NEW_YORK))
        assert await of.spool.is_empty()

    with_office(tmp_path, main)


@pytest.mark.parametrize("home_first", [True, False])
@pytest.mark.parametrize("waited", [0, 1, 2])
def test_no_night_counts_twice_whether_it_comes_home_before_the_night_s_work_or_after(
    tmp_path: Path, waited: int, home_first: bool
) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        clock.at = at(MONDAY)
        await night.work_if_due()
        await spooled(of)
        for n in range(1, waited + 1):  # the spool counts its nights, the database is away
            await of.spool.count_night(at(later(n)).astimezone(NEW_YORK))
        clock.at = at(later(waited), 12)
        if home_first:
            await come_home(of)
        await night.work_if_due()
        if not home_first:
            await come_home(of)
        assert await left(of) == [3 - waited]

    with_office(tmp_path, main)


def test_a_spool_that_lay_still_brings_home_only_what_has_nights_left(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        clock.at = at(MONDAY)
        await night.work_if_due()
        await spooled(of, 1, nights=1)
        await spooled(of, 2, nights=3)
        elsewhere = Night(of.database, of.host, of.pin, flow(), clock)  # another host's worker, another spool
        for n in (1, 2):
            clock.at = at(later(n))
            await elsewhere.work_if_due()
        assert await of.database.read(night_of) == later(2).isoformat()
        await come_home(of)
        assert await left(of) == [1]
        assert await of.spool.is_empty()

    with_office(tmp_path, main)


def test_a_spool_that_is_out_of_order_keeps_no_night_from_being_worked(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of)
        (tmp_path / "spool.db").write_bytes(b"no database" * 1000)
        for log in ("spool.db-wal", "spool.db-shm"):
            (tmp_path / log).unlink(missing_ok=True)
        clock.at = at(later(1))
        assert await night.work_if_due() is not None
        assert await left(of) == [2]

    with_office(tmp_path, main)


@pytest.mark.parametrize(
    ("counted", "at_home", "expected"),
    [
        (None, None, 3),
        ("2026-11-23", None, 3),
        (None, "2026-11-23", 3),
        ("2026-11-23", "2026-11-23", 3),
        ("2026-11-25", "2026-11-23", 5),
        ("2026-11-23", "2026-11-25", 1),
        ("2026-11-23", "2036-11-25", 3),
        ("no day", "2026-11-25", 3),
    ],
)
def test_the_nights_left_at_home(counted: str | None, at_home: str | None, expected: int) -> None:
    assert nights.left_at_home(3, counted=counted, at_home=at_home) == expected


def test_one_that_no_store_takes_is_told_as_not_saved(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        too_long = replace(REQUEST, answers=(("phone", ("9" * 700,)),))
        kept = of.reports()
        assert await kept.keep(too_long, seed=bytes(16), turn=1, today=MONDAY) == NotSaved()
        await kept.close()

    with_office(tmp_path, main)


# ---- advocates ----


def test_it_is_neither_believed_nor_doubted(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of)
        listed, ana = await only(of), await of.session()
        for confirmed in (True, False):
            with pytest.raises(CannotDecide, match="`ivr reports done`"):
                await of.archive.decide(listed.id, ana, confirmed=confirmed)
        assert await only(of) == listed

    with_office(tmp_path, main)


def test_an_export_neither_holds_nor_counts_it(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of)
        ana = await of.session()
        await members.add(of.database, ana, name="bo", passphrase=PASSPHRASE, role=Role.ADVOCATE, effort=CHEAP)
        made = await export_of(of.archive, await of.session("ana"), await of.session("bo"))
        assert (made.count, made.left_out) == (0, "")
        assert "212555" not in made.csv

    with_office(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_when_it_is_done_nobody_reads_it_and_no_late_webhook_brings_it_back(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of)
        listed, ana = await only(of), await of.session()
        await of.archive.note(listed.id, ana, text="called her", today=MONDAY)
        await of.archive.done(listed.id, ana)
        assert await rows(of, report_keys) == await rows(of, notes) == []
        for ending in (1, 2, 9):
            await ask(of, ending=ending)
        [opened] = await of.read_all()
        assert (opened.seal, opened.answers, opened.listed.is_done) == (Seal.FORGOTTEN, None, True)
        await spooled(of)
        await come_home(of)
        assert [one.seal for one in await of.read_all()] == [Seal.FORGOTTEN]
        with pytest.raises(CannotDecide, match="dealt with"):
            await of.archive.done(listed.id, ana)
        assert (await night.purge(later(9))).reports == {}
        assert (await night.purge(later(10))).reports == {"callback": 1}

    with_office(tmp_path, main, kind=kind)


def test_only_a_request_can_be_done_and_none_that_another_hand_made(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        kept = of.reports()
        report = SaveReport("bad_date", 1, (("what", ("taken",)),), "pass_on", 1)
        await kept.keep(report, seed=bytes(16), turn=3, today=MONDAY)
        await kept.close()
        listed, ana = await only(of), await of.session()
        with pytest.raises(CannotDecide, match="it is a report"):
            await of.archive.done(listed.id, ana)
        await of.database.write(lambda found: found.execute(update(reports).values(consent="request")).rowcount)
        with pytest.raises(CannotDecide, match="planted or altered"):
            await of.archive.done(listed.id, ana)
        with pytest.raises(CannotDecide, match="no such report"):
            await of.archive.done(bytes(16), ana)

    with_office(tmp_path, main)


def test_a_request_that_another_hand_calls_done_still_shows(tmp_path: Path) -> None:
    async def main(of: Office, clock: VirtualClock, night: Night) -> None:
        await ask(of)
        await of.database.write(lambda found: found.execute(update(reports).values(state="done")).rowcount)
        listed = await only(of)
        assert (listed.trusted, listed.is_done) == (False, False)

    with_office(tmp_path, main)
