"""Whatever somebody wrote into the rota's tables: nobody else suffers for it, and a call waits for none of it."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from ivr.oncall import duty
from ivr.oncall.people import PersonId
from ivr.oncall.rota import Shift
from ivr.services import rota
from ivr.services.duty import LiveDuty
from ivr.services.rota import MOST_NOW, LiveRota, RotaFull
from ivr.store.tables import people, shifts, switches
from tests.founded import NOW, UNHURRIED, Office, in_office
from tests.services.test_rota import ALWAYS, NEW_YORK, add, known
from tests.store.databases import KINDS

ROW = {
    "first": "2026-01-02",
    "start": "00:00",
    "end": "00:00",
    "zone": NEW_YORK,
    "rule": "FREQ=WEEKLY;BYDAY=MO",
    "is_break": False,
}
HOSTILE = [
    *(
        {"rule": rule}
        for rule in ("FREQ=WEEKLY;INTERVAL=0;BYDAY=FR", "FREQ=SECONDLY", "FREQ=WEEKLY;BYDAY=1MO", "\u202e")
    ),
    *({"zone": zone} for zone in ("", "Mars/Olympus", "../../etc/passwd", "America", "/etc/localtime", "\x1b[2J")),
    *({"first": first} for first in ("", "0001-01-01", "9999-12-31", "2026-02-30", "2026W011", "today")),
    *({"first": first, "rule": ""} for first in ("0001-01-01", "9999-12-31", "x")),
    *({"start": clock} for clock in ("", "24:00", "9", "٠٩:٠٠", "+1:00")),
    *({"end": clock} for clock in ("", "25:00", "00:60")),
]
"""Each would have raised, or never have ended, while somebody waited."""


async def plant(of: Office, table: Any, *rows: dict[str, Any]) -> None:
    await of.database.write(lambda found: found.execute(insert(table), list(rows)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_shift_that_is_not_right_is_set_aside_and_told_and_whoever_else_is_on_call_is_rung(
    tmp_path: Path, kind: str
) -> None:
    async def main(of: Office) -> None:
        ana, bo = await add(of, "ana"), await add(of, "bo")
        await rota.add_shifts(of.database, [("ana", ALWAYS)])
        planted = [ROW | wrong | {"id": n.to_bytes(8), "person": bo.id} for n, wrong in enumerate(HOSTILE, start=1)]
        await plant(of, shifts, *planted)
        assert await LiveRota(of.database, of.host, look_seconds=UNHURRIED.rota).on_duty(NOW) == (ana,)
        desk = LiveDuty(of.database, of.host, UNHURRIED)
        assert (await desk.duty_of(ana.id, NOW)).is_on
        assert not (await desk.duty_of(bo.id, NOW)).is_on
        assert await desk.next_on(NOW) is None
        found = await rota.known(of.database, of.host)
        assert len(found.rota.shifts) == 1
        assert len(found.aside) == len(HOSTILE)
        for number, wrong in enumerate(HOSTILE, start=1):
            row_id = number.to_bytes(8).hex()
            told = next(one for one in found.aside if row_id in one)
            assert "A shift of bo counts for nothing" in told, wrong
            assert await rota.remove_shift(of.database, row_id) is None
        assert (await rota.known(of.database, of.host)).aside == ()

    in_office(tmp_path, main, kind=kind)


def test_a_decision_with_an_absurd_end_counts_for_nothing_and_somebody_without_a_tier_is_not_rung(
    tmp_path: Path,
) -> None:
    async def main(of: Office) -> None:
        names = ("ana", "bo", "cy", "di")
        ana, bo, cy, di = [await add(of, name, phone=f"+1212555014{n}") for n, name in enumerate(names)]
        await rota.add_shifts(of.database, [(name, ALWAYS) for name in names])
        ends = ("0001-01-01T00:00Z", "9999-12-31T23:59Z", "soon")
        planted = [
            {"person": one.id, "is_on": False, "until_at": end} for one, end in zip((ana, bo, cy), ends, strict=True)
        ]
        await plant(of, switches, *planted)
        changes = {"zone": "Mars/Olympus"}, {"tier": "queen"}
        for one, change in zip((ana, di), changes, strict=True):
            await of.database.write(
                lambda found, one=one, change=change: found.execute(  # type: ignore[misc]  # bound now
                    people.update().where(people.c.id == one.id).values(change)
                )
            )
        on_duty = await LiveRota(of.database, of.host, look_seconds=UNHURRIED.rota).on_duty(NOW)
        assert [(one.name, one.zone) for one in on_duty] == [("ana", "UTC"), ("bo", NEW_YORK), ("cy", NEW_YORK)]
        aside = (await rota.known(of.database, of.host)).aside
        assert [one.split(":")[0] for one in aside if "decided" not in one] == [
            "ana hears times in UTC",
            "di is not rung",
        ]
        assert len(aside) == 5
        assert "ivr advocates set di --tier" in aside[1]
        changed = await rota.change_person(of.database, of.host, "di", rota.Change(tier=bo.tier))
        assert changed == di

    in_office(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_thousand_shifts_stall_no_call(tmp_path: Path, kind: str) -> None:
    """What is looked at is bounded, and what is of a day that is not near is not even read."""

    async def main(of: Office) -> None:
        ana, bo = await add(of, "ana"), await add(of, "bo")
        await rota.add_shifts(
            of.database, [("ana", Shift(b"", ana.id, date(2026, 1, 2), time(), time(), NEW_YORK, "FREQ=DAILY"))]
        )
        once, often = {"rule": "", "first": "2020-01-01"}, {"rule": "FREQ=WEEKLY;BYDAY=MO", "first": "2026-01-01"}
        for at, row in ((0, once), (1, often)):
            rows = [ROW | row | {"id": (1 + at * 50_000 + n).to_bytes(8), "person": bo.id} for n in range(50_000)]
            await plant(of, shifts, *rows)
        near = await of.database.read(lambda found: rota.rota_near(found, of.host, NOW.date()))
        assert len(near.rota.shifts) <= MOST_NOW
        assert near.rota.on_duty(NOW) == (ana,)
        assert duty.duty_of(near.rota, ana.id, NOW).is_on
        assert duty.next_on(near.rota, NOW) is not None
        assert "more than 500 people or 20000 shifts" in " ".join((await rota.known(of.database, of.host)).aside)

    in_office(tmp_path, main, kind=kind)


def test_a_shift_of_a_single_day_is_known_as_long_as_somebody_may_hear_of_it(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        bo = await add(of, "bo")
        days = [NOW.date() + timedelta(days=n) for n in range(-20, 21)]
        await rota.add_shifts(of.database, [("bo", Shift(b"", bo.id, day, time(9), time(8), NEW_YORK)) for day in days])
        whole = await known(of)
        assert len(whole.shifts) == len(days)
        for hours in range(-24, 7 * 24):
            moment: datetime = NOW + timedelta(hours=hours)
            near = await of.database.read(lambda found: rota.rota_near(found, of.host, NOW.date()))
            assert near.rota.on_duty(moment) == whole.on_duty(moment)

    in_office(tmp_path, main)


def test_the_same_shift_is_added_once_and_a_full_rota_takes_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        other = Shift(b"", PersonId(b""), date(2026, 1, 1), time(9), time(), NEW_YORK, "FREQ=DAILY")
        assert await rota.add_shifts(of.database, [("bo", ALWAYS), ("bo", ALWAYS), ("bo", other)]) == 2
        assert await rota.add_shifts(of.database, [("bo", ALWAYS), ("bo", other)]) == 0
        assert await rota.add_shifts(of.database, [("bo", ALWAYS)], instead=True) == 1
        monkeypatch.setattr(rota, "MOST_SHIFTS", 1)  # twenty thousand rows would take their time
        with pytest.raises(RotaFull, match="remove old ones"):
            await rota.add_shifts(of.database, [("bo", other)])
        assert len((await known(of)).shifts) == 1

    in_office(tmp_path, main)
