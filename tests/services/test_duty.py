"""What somebody asks and changes of her own duty by phone, as it is kept: once, whoever sends it twice."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text

from ivr.kit.time_limits import TimeLimits
from ivr.oncall.duty import AN_HOUR, OwnDuty
from ivr.oncall.people import PersonId
from ivr.oncall.rota import Shift
from ivr.services import pins, rota
from ivr.services.duty import LiveDuty
from ivr.store.database import StoreUnavailable
from tests.founded import UNHURRIED, Office, in_office
from tests.services.test_rota import NEW_YORK, add
from tests.store.databases import KINDS

NIGHTS = Shift(b"", PersonId(b""), date(2026, 1, 1), time(22), time(6), NEW_YORK, "FREQ=DAILY")
DAYS = replace(NIGHTS, start=time(8), end=time(20))
HERE = ZoneInfo(NEW_YORK)
NIGHT = datetime(2026, 11, 22, 23, 30, 17, 500_000, HERE)
NOON = datetime(2026, 11, 23, 12, 0, 17, tzinfo=HERE)
SIX = datetime(2026, 11, 23, 6, tzinfo=HERE)
TEN = datetime(2026, 11, 23, 22, tzinfo=HERE)
MINUTE = timedelta(minutes=1)


def on_shifts(
    tmp_path: Path,
    main: Callable[[Office, LiveDuty, PersonId], Coroutine[Any, Any, None]],
    kind: str,
    *,
    limits: TimeLimits = UNHURRIED,
) -> None:
    """bo is on in the night, ana by day; `main` gets bo's id."""

    async def run(of: Office) -> None:
        await add(of, "ana")
        bo = await add(of, "bo")
        await rota.add_shifts(of.database, [("bo", NIGHTS), ("ana", DAYS)])
        await main(of, LiveDuty(of.database, of.host, limits), bo.id)

    in_office(tmp_path, run, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_she_is_known_by_her_pin_and_hears_how_she_stands_and_who_is_next(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, live: LiveDuty, bo: PersonId) -> None:
        pin = await pins.new_pin(of.database, of.host, "bo")
        assert await live.by_pin(pin) == bo
        assert await live.by_pin("0") is None
        assert await live.duty_of(bo, NIGHT) == OwnDuty(is_on=True, until_at=SIX)
        assert await live.duty_of(bo, NOON) == OwnDuty(is_on=False, next_at=TEN)
        found = await live.next_on(NIGHT)
        assert found is not None
        assert (found.person.name, found.at) == ("ana", SIX + timedelta(hours=2))

    on_shifts(tmp_path, main, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_off_and_on_again_by_phone(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, live: LiveDuty, bo: PersonId) -> None:
        off = OwnDuty(is_on=False, next_at=TEN, is_switched=True)
        assert await live.switch_off(bo, NIGHT) == off
        assert await live.switch_off(bo, NIGHT) == off
        assert await live.duty_of(bo, TEN) == OwnDuty(is_on=True, until_at=SIX + timedelta(days=1))
        assert await live.switch_on(bo, NIGHT + MINUTE) == OwnDuty(is_on=True, until_at=SIX)
        assert (await rota.known(of.database, of.host)).rota.switches == ()
        assert await live.switch_off(bo, NOON) == OwnDuty(is_on=False, next_at=TEN), "nothing to switch off"

    on_shifts(tmp_path, main, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_an_hour_by_day_and_an_hour_more_at_night_are_one_hour_also_when_they_come_twice(
    tmp_path: Path, kind: str
) -> None:
    async def main(of: Office, live: LiveDuty, bo: PersonId) -> None:
        until = NOON.replace(second=0) + AN_HOUR
        for later in (0, 3, 50):
            found = await live.switch_on(bo, NOON + timedelta(seconds=later))
            assert found == OwnDuty(is_on=True, until_at=until, is_switched=True)
            assert await live.hour_more(bo, told=None, now=NOON + timedelta(seconds=later)) == found
        assert (await live.hour_more(bo, told=until, now=NOON)).until_at == until + AN_HOUR
        found = await live.hour_more(bo, told=SIX + timedelta(days=1), now=TEN)
        for _ in range(2):
            assert await live.hour_more(bo, told=SIX + timedelta(days=1), now=TEN + MINUTE) == found
        assert found == OwnDuty(is_on=True, until_at=SIX + timedelta(days=1) + AN_HOUR, is_switched=True)

    on_shifts(tmp_path, main, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_webhook_that_two_workers_take_up_at_once_is_one_wish(tmp_path: Path, kind: str) -> None:
    async def main(of: Office, live: LiveDuty, bo: PersonId) -> None:
        found = await asyncio.gather(*(live.hour_more(bo, told=SIX, now=NIGHT) for _ in range(4)))
        assert {one.until_at for one in found} == {SIX + AN_HOUR}
        found = await asyncio.gather(*(live.switch_off(bo, NIGHT) for _ in range(4)))
        assert {one.is_on for one in found} == {False}

    on_shifts(tmp_path, main, kind)


def test_whoever_was_removed_during_her_call_is_off_and_changes_nothing(tmp_path: Path) -> None:
    async def main(of: Office, live: LiveDuty, bo: PersonId) -> None:
        await rota.remove_person(of.database, "bo")
        off = OwnDuty(is_on=False)
        assert await live.duty_of(bo, NIGHT) == off
        assert await live.switch_off(bo, NIGHT) == off
        assert await live.switch_on(bo, NIGHT) == off
        assert await live.hour_more(bo, told=None, now=NIGHT) == off
        assert await live.hour_more(bo, told=SIX, now=NIGHT) == off

    on_shifts(tmp_path, main, "sqlite")


def test_what_others_decided_stays(tmp_path: Path) -> None:
    async def main(of: Office, live: LiveDuty, bo: PersonId) -> None:
        await rota.switch(of.database, "ana", is_on=False, until_at=None, now=NIGHT)
        await live.hour_more(bo, told=SIX, now=NIGHT)
        await live.switch_off(bo, NIGHT)
        [ana] = [one for one in (await rota.known(of.database, of.host)).rota.switches if one.person != bo]
        assert (ana.is_on, ana.until_at) == (False, None)

    on_shifts(tmp_path, main, "sqlite")


def test_while_the_database_is_away_she_is_told_so_and_not_something_else(tmp_path: Path) -> None:
    async def main(of: Office, live: LiveDuty, bo: PersonId) -> None:
        await of.database.write(lambda found: found.execute(text("DROP TABLE switches")))
        asked = (live.duty_of(bo, NIGHT), live.switch_off(bo, NIGHT), live.switch_on(bo, NIGHT), live.next_on(NIGHT))
        for one in asked:
            with pytest.raises(StoreUnavailable):
                await one

    on_shifts(tmp_path, main, "sqlite")


def test_she_does_not_wait_longer_than_a_webhook_may_take(tmp_path: Path) -> None:
    """Something else holds the writer for as long as it likes."""

    async def main(of: Office, live: LiveDuty, bo: PersonId) -> None:
        let_go = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold(_: Connection) -> None:
            asyncio.run_coroutine_threadsafe(let_go.wait(), loop).result(UNHURRIED.save)

        holding = asyncio.create_task(of.database.alone(hold))
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable, match="in time"):
            await live.switch_off(bo, NIGHT)
        let_go.set()
        await holding

    on_shifts(tmp_path, main, "sqlite", limits=replace(UNHURRIED, shift_change=0.2))
