"""Who answers callers, as it is kept: numbers sealed, changes whole, the last known where nothing answers."""

from collections.abc import Callable, Coroutine
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from ivr.oncall.people import Person, PersonId, Tier
from ivr.oncall.rota import Rota, Shift
from ivr.services import rota
from ivr.services.custody import members
from ivr.services.rota import Change, LiveRota, NameOnRota, NumberLost, UnknownPerson, UnknownShift
from ivr.store.tables import people
from ivr.vault.advocates import Role
from ivr.vault.host import HostKey
from tests.founded import CHEAP, NOW, PASSPHRASE, UNHURRIED, Office, in_office
from tests.store.databases import KINDS

NUMBER = "+12125550143"
NEW_YORK = "America/New_York"
ALWAYS = Shift(b"", PersonId(b""), date(2026, 1, 1), time(), time(), NEW_YORK, "FREQ=DAILY")

Main = Callable[[Office], Coroutine[Any, Any, None]]


async def add(of: Office, name: str, *, phone: str = NUMBER, tier: Tier = Tier.ON_CALL) -> Person:
    return await rota.add_person(
        of.database, of.host, name=name, phone=phone, languages=("en", "es"), tier=tier, zone=NEW_YORK
    )


async def known(of: Office) -> Rota:
    return (await rota.known(of.database, of.host)).rota


async def on_duty(of: Office) -> list[str]:
    return [person.name for person in (await known(of)).on_duty(NOW)]


def on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_added_is_there_as_it_was_given(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        bo = await add(of, "bo", tier=Tier.BACKUP)
        away = Shift(b"", PersonId(b""), date(2026, 12, 24), time(18), time(2), "Europe/London", "", is_break=True)
        await rota.add_shifts(of.database, [("bo", ALWAYS), ("bo", away)])
        found = await known(of)
        assert found.people == (bo,)
        assert [(one.person, one.rule, one.start, one.end, one.zone, one.is_break) for one in found.shifts] == [
            (bo.id, "FREQ=DAILY", time(), time(), NEW_YORK, False),
            (bo.id, "", time(18), time(2), "Europe/London", True),
        ]
        assert await on_duty(of) == ["bo"]
        removed = await rota.remove_shift(of.database, found.shifts[0].id.hex()[:5])
        assert removed is not None
        assert removed.rule == "FREQ=DAILY"
        assert await on_duty(of) == []

    in_office(tmp_path, main, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_who_also_reads_reports_is_one_person_and_goes_as_one(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        lead = await of.session()
        await members.add(of.database, lead, name="bo", passphrase=PASSPHRASE, role=Role.ADVOCATE, effort=CHEAP)
        bo = await add(of, "bo")
        assert bo.id == (await of.session("bo")).own.id
        await rota.add_shifts(of.database, [("bo", ALWAYS)])
        await rota.switch(of.database, "bo", is_on=True, until_at=NOW + timedelta(hours=1), now=NOW)
        await members.remove(of.database, lead, name="bo", now=NOW)
        assert await known(of) == Rota()

    in_office(tmp_path, main, kind=kind)


def test_a_number_lies_sealed_for_its_person_and_another_s_in_its_place_is_nobody_s(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        ana = await add(of, "anaïs", phone="+442079460958")
        bo = await add(of, "bo")
        assert b"2125550143" not in on_disk(tmp_path)
        sealed = await of.database.read(
            lambda found: found.execute(people.select().where(people.c.id == ana.id)).one().phone
        )
        await of.database.write(
            lambda found: found.execute(update(people).where(people.c.id == bo.id).values(phone=sealed))
        )
        found = await rota.known(of.database, of.host)
        assert (found.lost, found.rota.people) == (("bo",), (ana,))

    in_office(tmp_path, main)


def test_under_another_secret_numbers_are_lost_and_can_be_given_again(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        await rota.add_shifts(of.database, [("bo", ALWAYS)])
        of.host = HostKey.of(b"a secret that somebody made anew")
        assert (await rota.known(of.database, of.host)).lost == ("bo",)
        assert await on_duty(of) == []
        with pytest.raises(NumberLost, match="--phone"):
            await rota.change_person(of.database, of.host, "bo", Change(tier=Tier.BACKUP))
        await rota.change_person(of.database, of.host, "bo", Change(phone=NUMBER))
        assert await on_duty(of) == ["bo"]

    in_office(tmp_path, main)


def test_what_is_changed_is_changed_and_a_new_number_has_not_failed(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        bo = await add(of, "bo")
        await of.database.write(lambda found: found.execute(text("UPDATE people SET is_failing = 1")))
        changed = await rota.change_person(of.database, of.host, "bo", Change(languages=("es",), tier=Tier.BACKUP))
        assert changed == Person(bo.id, "bo", NUMBER, ("es",), Tier.BACKUP, NEW_YORK, is_failing=True)
        changed = await rota.change_person(of.database, of.host, "bo", Change(phone="+12125550199"))
        assert (changed.phone, changed.is_failing) == ("+12125550199", False)
        assert (await known(of)).people == (changed,)

    in_office(tmp_path, main)


def test_names_that_nobody_has_or_somebody_has_are_told(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        with pytest.raises(NameOnRota, match="ivr advocates set bo"):
            await add(of, "bo")
        with pytest.raises(UnknownPerson, match="nobody called cy"):
            await rota.add_shifts(of.database, [("bo", ALWAYS), ("cy", ALWAYS)])
        assert (await known(of)).shifts == (), "all or none"
        for beginning in ("", "zz"):
            with pytest.raises(UnknownShift):
                await rota.remove_shift(of.database, beginning)
        await rota.remove_person(of.database, "bo")
        assert not await rota.answers(of.database, "bo")

    in_office(tmp_path, main)


@pytest.mark.parametrize("kind", KINDS)
def test_off_holds_also_when_the_next_shift_begins_and_on_is_as_shifts_say(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        later = NOW + timedelta(days=3)

        async def rung() -> list[bool]:
            found = await known(of)
            return [bool(found.on_duty(moment)) for moment in (NOW, NOW + timedelta(hours=2), later)]

        await rota.switch(of.database, "bo", is_on=False, until_at=None, now=NOW)
        await rota.add_shifts(of.database, [("bo", ALWAYS)])
        assert await rung() == [False, False, False]
        await rota.switch(of.database, "bo", is_on=False, until_at=NOW + timedelta(hours=1), now=NOW)
        assert await rung() == [False, True, True]
        await rota.switch(of.database, "bo", is_on=True, until_at=None, now=NOW)
        assert await rung() == [True, True, True]
        assert (await known(of)).switches == ()
        await rota.switch(of.database, "bo", is_on=True, until_at=NOW + timedelta(hours=1), now=NOW)
        await rota.add_shifts(of.database, [], instead=True)
        assert await rung() == [True, False, False]

    in_office(tmp_path, main, kind=kind)


def test_while_the_database_is_away_the_last_that_was_known_counts(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await add(of, "bo")
        await rota.add_shifts(of.database, [("bo", ALWAYS)])
        somebody = rota.standing(("+12125550100",), ("en",), NEW_YORK)
        live = LiveRota(of.database, of.host, somebody, look_seconds=UNHURRIED.rota)
        assert live.last_known(NOW) == somebody, "nothing was seen yet"
        assert [one.name for one in await live.on_duty(NOW)] == ["bo"]
        await of.database.write(lambda found: found.execute(text("DROP TABLE switches")))
        assert [one.name for one in await live.on_duty(NOW)] == ["bo"]
        assert await LiveRota(of.database, of.host, somebody, look_seconds=UNHURRIED.rota).on_duty(NOW) == somebody

    in_office(tmp_path, main)


def test_a_rota_on_which_nobody_is_on_duty_rings_nobody_and_one_without_people_whoever_is_set(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        somebody = rota.standing(("+12125550100",), ("en",), NEW_YORK)
        live = LiveRota(of.database, of.host, somebody, look_seconds=UNHURRIED.rota)
        assert await live.on_duty(NOW) == somebody
        await add(of, "bo")
        assert await live.on_duty(NOW) == ()

    in_office(tmp_path, main)
