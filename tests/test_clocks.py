"""A clock that is wrong for a moment, in either direction, and is set right again: nothing is lost by it."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, insert, select
from starlette.routing import Router

from ivr import RELEASED
from ivr.app import Parts, WorldOf, build
from ivr.engine.asks import Saved, SaveReport
from ivr.kit.clock import NotBefore, SystemClock, VirtualClock
from ivr.services import nights
from ivr.services.backup import Backup
from ivr.services.clock_floor import floor_of
from ivr.services.retention import Night
from ivr.store import conversations, live
from ivr.store.database import Database
from ivr.store.folder import Folder
from ivr.store.live import milliseconds
from ivr.store.rings import rings
from ivr.store.tables import epochs, report_keys, reports
from ivr.vault.keyring import KeyRing
from tests.founded import NOW, Office, in_office
from tests.promises.house import BEGINNING, house, initialised
from tests.promises.pacing import Metronome
from tests.promises.test_r2_what_was_pressed import finishes, presses, receipt_in
from tests.services.test_retention import keep
from tests.shipped import ROOT, flow

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LONG_AGO = datetime(2019, 1, 1, 17, 0, 30, tzinfo=UTC)
FAR_AHEAD = datetime(2038, 1, 19, 9, 0, tzinfo=UTC)


# The clock itself


def not_before(clock: VirtualClock, floor: datetime) -> NotBefore:
    found = NotBefore(clock, RELEASED)
    found.not_before(floor)
    return found


def test_a_clock_that_is_behind_is_set_forward_by_whole_days_and_goes_on_from_there() -> None:
    clock = VirtualClock(LONG_AGO)
    believed = not_before(clock, NOW)
    assert NOW <= believed.now() < NOW + DAY
    assert believed.now().time() == LONG_AGO.time()
    assert believed.is_behind
    before = believed.now()
    for span in (MINUTE, 3 * DAY, 400 * DAY):
        clock.advance(span)
        assert believed.now() - before == span
        before = believed.now()


def test_once_it_is_right_it_counts_again_and_one_that_was_always_right_is_left_alone() -> None:
    clock = VirtualClock(LONG_AGO)
    believed = not_before(clock, NOW)
    assert believed.is_behind
    for clock.at in (NOW, NOW + DAY, NOW - MINUTE + DAY):
        assert (believed.now(), believed.is_behind) == (clock.at, False)


def test_processes_that_start_one_after_the_other_agree() -> None:
    clock = VirtualClock(LONG_AGO)
    first = not_before(clock, NOW)
    first.now()
    clock.advance(50 * MINUTE)
    assert not_before(clock, NOW).now() == first.now()


def test_a_floor_that_is_years_ahead_of_a_plausible_clock_came_from_another_one() -> None:
    clock = VirtualClock(NOW)
    believed = not_before(clock, FAR_AHEAD)
    assert (believed.now(), believed.is_behind) == (NOW, False)


def test_no_version_is_older_than_its_build_and_the_changelog_names_it() -> None:
    assert SystemClock().now() >= RELEASED
    assert RELEASED.date().isoformat() in (ROOT / "CHANGELOG.md").read_text("utf-8")


# What the line keeps


async def floor(of: Office) -> datetime | None:
    return await of.database.read(lambda connection: floor_of(connection, flow().zone))


def local(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(flow().zone)).astimezone(UTC)


def test_the_floor_rises_night_by_night_and_by_the_weeks_of_reports_and_never_by_one_look_far_ahead(
    tmp_path: Path,
) -> None:
    async def main(of: Office) -> None:
        assert await floor(of) == local(NOW.date() - DAY)
        clock = VirtualClock(NOW)
        night = Night(of.database, of.host, of.pin, flow(), clock)
        await night.work_if_due()
        assert await floor(of) == local(NOW.date())
        await keep(of, 1, NOW.date() + DAY)  # a Monday
        assert await floor(of) == local(NOW.date() + DAY)
        clock.at = FAR_AHEAD
        await keep(of, 2, FAR_AHEAD.date())
        await night.work_if_due()
        assert await floor(of) == local(NOW.date() + DAY)
        clock.at = NOW + DAY  # it is set right: one night is waited for, the next counts
        await night.work_if_due()
        assert await floor(of) == local(NOW.date() + DAY)
        clock.at = NOW + 2 * DAY
        await night.work_if_due()
        assert await floor(of) == local(NOW.date() + 2 * DAY)

    in_office(tmp_path, main)


# A report that is saved while the clock is far behind


async def reported_in_2019(folder: Path, blank: Path, *, believed: type[NotBefore] = NotBefore) -> tuple[set[str], int]:
    """The weeks of a report that was made while the clock showed 2019, and how many reports are left after it was set
    right and three nights have passed."""
    clock = VirtualClock(LONG_AGO)
    pacing = Metronome(clock)

    def built(parts: Parts, clock: VirtualClock, world: WorldOf) -> Router:
        return build(parts, believed(clock, RELEASED), world, pause=pacing.pause)

    async with house(folder, blank=blank, builder=built, clock=clock) as of, pacing.at_work(of.router):
        rosa = await of.line().call()
        await presses(rosa, "1", "1", "1", "4", "#", "1", "1")
        await finishes(rosa)
        await rosa.hang_up()
        rows = await of.database.read(lambda found: list(found.execute(select(reports.c.week)).scalars()))
        for day in range(3):
            clock.at = BEGINNING + day * DAY
            night = Night(of.database, of.kept.host, of.kept.pin, flow(), clock)
            await night.work_if_due()
        left = await of.database.read(lambda found: list(found.execute(select(reports.c.id)).scalars()))
        return set(rows), len(left)


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    (tmp_path / "blank").mkdir()
    asyncio.run(initialised(tmp_path / "blank"))
    return tmp_path / "blank"


def test_a_report_saved_while_the_clock_stands_at_2019_is_kept_its_time(tmp_path: Path, blank: Path) -> None:
    assert asyncio.run(reported_in_2019(tmp_path / "line", blank)) == ({"2027-W10"}, 1)


class Believing(NotBefore):
    """Shows whatever the machine does."""

    def now(self) -> datetime:
        return self._clock.now()


def test_mutant_a_line_that_believes_the_machine_loses_it(tmp_path: Path, blank: Path) -> None:
    lost = asyncio.run(reported_in_2019(tmp_path / "line", blank, believed=Believing))
    assert lost == ({"2019-W01"}, 0)


# A clock that is ahead for a moment


def counted(connection: Connection) -> tuple[int, list[int | None], int]:
    left = connection.execute(select(report_keys.c.nights_left)).scalars().all()
    every = connection.execute(select(reports.c.id)).all()
    return len(every), sorted(left, key=repr), len(connection.execute(select(epochs.c.id)).all())


@pytest.mark.parametrize("ahead", [DAY, 3 * DAY, 7 * DAY, 30 * DAY, FAR_AHEAD - NOW])
@pytest.mark.parametrize("first_look", [0, 5])
def test_a_clock_that_is_ahead_for_most_of_an_hour_costs_no_report_no_request_and_no_month(
    tmp_path: Path, ahead: timedelta, first_look: int
) -> None:
    """As a serving line looks, once a minute; and what comes after it was set right is an ordinary night."""

    async def main(of: Office) -> None:
        clock = VirtualClock(NOW)
        night = Night(of.database, of.host, of.pin, flow(), clock, of.spool, nights.Looks())
        await Night(of.database, of.host, of.pin, flow(), clock).work_if_due()
        await keep(of, 1, NOW.date())
        request = SaveReport("callback", 1, (("when", ("any",)),), consent="request", ending=1, nights=3)
        kept = of.reports()
        assert isinstance(await kept.keep(request, seed=b"r" * 16, turn=3, today=NOW.date()), Saved)
        before = await of.database.read(counted)
        for _ in range(first_look):
            await night.work_if_due()
            clock.advance(MINUTE)
        right = clock.at
        clock.at = right + ahead
        for _ in range(nights.LOOKS - 1):
            assert await night.work_if_due() is None
            clock.advance(MINUTE)
        assert await of.database.read(counted) == before
        clock.at = right + 50 * MINUTE
        at_three = local(NOW.date() + DAY) + timedelta(hours=3)
        while clock.at < at_three + MINUTE:
            await night.work_if_due()
            clock.advance(MINUTE)
        reports_left, nights_left, months = await of.database.read(counted)
        assert (reports_left, nights_left, months) == (before[0], [2, None], before[2])
        await kept.close()

    in_office(tmp_path, main)


def test_mutant_a_line_that_believes_one_look_loses_the_request(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        clock = VirtualClock(NOW)
        night = Night(of.database, of.host, of.pin, flow(), clock)
        await night.work_if_due()
        kept = of.reports()
        request = SaveReport("callback", 1, (("when", ("any",)),), consent="request", ending=1, nights=3)
        await kept.keep(request, seed=b"r" * 16, turn=3, today=NOW.date())
        clock.at = NOW + 3 * DAY
        await night.work_if_due()
        assert (await of.database.read(counted))[0] == 0
        await kept.close()

    in_office(tmp_path, main)


@pytest.mark.parametrize("jump", [FAR_AHEAD - BEGINNING, LONG_AGO - BEGINNING, 2 * DAY, -2 * DAY])
def test_a_call_in_progress_goes_on_or_hears_words_when_the_clock_jumps_and_when_it_is_set_right(
    tmp_path: Path, blank: Path, jump: timedelta
) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank) as of:
            rosa = await of.line().call()
            await presses(rosa, "1")
            for moment in (BEGINNING + jump, BEGINNING + 2 * MINUTE):
                of.clock.at = moment
                for keys in ("1", "1"):
                    assert await presses(rosa, keys)
            another = await of.line().call()
            await presses(another, "1", "1", "1", "4", "#", "1", "1")
            assert receipt_in(await finishes(another))

    asyncio.run(main())


# What lives for hours


def test_keys_that_a_clock_far_ahead_made_are_destroyed_once_it_is_right_and_a_little_back_ends_no_call(
    tmp_path: Path,
) -> None:
    hour = timedelta(hours=1)
    ring = KeyRing(tmp_path, "token", rolls=6 * hour, lives=12 * hour, make=lambda _kid, secret: secret)
    ring.current(FAR_AHEAD)
    assert len(list(tmp_path.iterdir())) == 1
    ring.sweep(NOW)
    assert not any(b"".join(path.read_bytes() for path in tmp_path.iterdir())), "wiped"
    key = ring.current(NOW)
    ring.sweep(NOW - 5 * hour)
    assert ring.current(NOW) == key


def test_live_rows_of_a_time_to_come_go_and_nobody_is_engaged_for_years(tmp_path: Path) -> None:
    at, now = milliseconds(FAR_AHEAD), milliseconds(NOW)

    def begin(connection: Connection) -> None:
        for n, moment in ((b"f", at), (b"n", now)):
            live.begin(
                connection, live.TransferRow(n * 16, b"c" * 16, "room", "en", "ringing", None, moment, moment, moment)
            )
            live.reserve(
                connection, live.OfferRow(n * 16, n * 16, n * 16, n * 16, "en", "ringing", moment, moment + 20_000)
            )
            row = {"id": n * 16, "body": None, "claimed": 0, "until": moment + 7_200_000}
            connection.execute(insert(live.conversations).values(row))

    async def main() -> tuple[frozenset[bytes | None], list[bytes]]:
        database = Database(f"sqlite:///{tmp_path / 'live.db'}")
        await database.furnish(live.create)
        await database.write(begin)
        old, ahead = now - 540_000, now + 600_000
        await database.write(lambda found: live.sweep(found, ended=old, asked=old, joined=0, ahead=ahead))
        await database.write(lambda found: conversations.sweep(found, until=now, longest=now + 14_400_000))
        engaged = frozenset(one.engaged for one in await database.read(lambda found: rings(found, since=now)))
        left = await database.read(lambda found: list(found.execute(select(live.conversations.c.id)).scalars()))
        await database.close()
        return engaged, left

    assert asyncio.run(main()) == (frozenset({b"n" * 16}), [b"n" * 16])


# Backups


def test_no_backup_goes_because_of_one_that_was_made_while_the_clock_was_wrong(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        shelf = Folder(tmp_path / "shelf")

        async def made(at: datetime) -> set[str]:
            await Backup(of.database, of.pin, VirtualClock(at)).into(shelf)
            return {name.removeprefix("data-").removesuffix(".db") for name in shelf.names()} - {"keys"}

        for day in range(3):
            await made(NOW + day * DAY)
        before = {(NOW + day * DAY).date().isoformat() for day in range(3)}
        assert await made(FAR_AHEAD) == before | {FAR_AHEAD.date().isoformat()}
        assert await made(LONG_AGO) == before | {FAR_AHEAD.date().isoformat(), LONG_AGO.date().isoformat()}
        right = NOW + 3 * DAY
        assert await made(right) == before | {right.date().isoformat()}  # what had the wrong day goes

    in_office(tmp_path, main)
