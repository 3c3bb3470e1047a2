"""The rota: who answers callers, and when. Numbers are sealed under IVR_SECRET, for this person: whoever can only write
to the database can have nobody else's phone rung."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial

from nacl.utils import random
from sqlalchemy import Connection

from ivr.kit.time_limits import TimeLimits
from ivr.kit.told import Told
from ivr.oncall.people import Person, PersonId, Tier
from ivr.oncall.rota import Rota, Shift, Switch
from ivr.services import rota_rows as rows
from ivr.services.rota_rows import PERSON_ID_SIZE, RowWrong
from ivr.store import advocates as stored_advocates
from ivr.store import rota as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.store.rota import PersonRow, ShiftRow, SwitchRow
from ivr.vault.host import HostKey, WrongSecret

MOST_PEOPLE = 500
MOST_SHIFTS = 20_000
"""So many are kept. More are refused; where they lie in the database all the same, they count for nothing."""
MOST_NOW = 2_000
"""So many shifts are looked at while a caller waits: the repeated ones, and those of a single day that is near."""
NEAR = timedelta(days=9)
"""Whoever answers hears of her next shift within seven days; a shift of yesterday may still go on."""


_ID = re.compile(r"[0-9a-fA-F]{1,16}")


class UnknownPerson(Told):
    """Nobody of this name answers callers."""


class UnknownShift(Told):
    """There is no such shift, or several are meant."""


class NumberLost(Told):
    """Her number was sealed under another IVR_SECRET."""


class NameOnRota(Told):
    """Somebody of this name answers callers already."""


class RotaFull(Told):
    """There are as many people or shifts as are kept."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says. `lost`: those whose numbers cannot be opened any more; they are not in the rota.
    `aside`: what counts for nothing, because it is not right: a sentence for each, with its cure."""

    rota: Rota
    lost: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nobody was ever put on it."""
        return not self.rota.people and not self.lost and not self.aside


class LiveRota:
    """The rota for a line that serves: of this moment, or the last that was known. Never raises.

    `otherwise` are rung, at any time, where the rota has nobody at all: a line must not wait for its rota."""

    def __init__(
        self,
        database: Database,
        host: HostKey,
        otherwise: tuple[Person, ...] = (),
        *,
        look_seconds: float = TimeLimits().rota,
    ) -> None:
        self._database = database
        self._host = host
        self._otherwise = otherwise
        self._look_seconds = look_seconds
        self._last = Rota()

    async def on_duty(self, at: datetime) -> tuple[Person, ...]:
        """Asked at every transfer: whoever switched herself off a second ago must not be rung."""
        await self.look(at)
        return self.last_known(at)

    def last_known(self, at: datetime) -> tuple[Person, ...]:
        """As far as this worker saw it when it last looked."""
        people = self._last.on_duty(at) if self._last.people else self._otherwise
        # Two people with one phone are rung by it once.
        return tuple({person.phone: person for person in reversed(people)}.values())[::-1]

    async def look(self, at: datetime) -> None:
        """See what the rota is now, if the database says it in time."""
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(self._look_seconds):
                work = partial(rota_near, host=self._host, day=at.date())
                self._last = (await self._database.read(work, snapshot=True)).rota

    async def reached(self, person: bytes, *, is_failing: bool) -> None:
        """Whether her phone could be reached, so that somebody asks her. Lost where the database is away, or busy: a
        caller waits."""
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(self._look_seconds):
                await self._database.write(lambda found: stored.set_failing(found, person, is_failing=is_failing))


def standing(numbers: tuple[str, ...], languages: tuple[str, ...], zone: str) -> tuple[Person, ...]:
    """Numbers of nobody in particular, as people who are always there."""
    return tuple(Person(PersonId(number.encode()), number, number, languages, Tier.ON_CALL, zone) for number in numbers)


async def known(database: Database, host: HostKey) -> Known:
    """Everybody, their shifts, and what they decided for now. Raises StoreUnavailable."""
    return await database.read(lambda connection: rota_in(connection, host), snapshot=True)


def rota_in(connection: Connection, host: HostKey) -> Known:
    """All of it, as a transaction sees it."""
    shifts = stored.all_shifts(connection, MOST_SHIFTS + 1)
    return _known(connection, host, shifts, most=MOST_SHIFTS)


def rota_near(connection: Connection, host: HostKey, day: date) -> Known:
    """What counts around a day: never more than somebody who waits on the phone has time for, whatever lies there."""
    since, until = (day - NEAR).isoformat(), (day + NEAR).isoformat()
    return _known(connection, host, stored.shifts_near(connection, since, until, MOST_NOW), most=MOST_NOW)


def people_of(connection: Connection, host: HostKey) -> tuple[Person, ...]:
    """Who can be rung at all."""
    return tuple(rows.people_in(stored.all_people(connection, MOST_PEOPLE), host)[0])


def _known(connection: Connection, host: HostKey, shift_rows: Sequence[ShiftRow], *, most: int) -> Known:
    person_rows = stored.all_people(connection, MOST_PEOPLE + 1)
    people, lost, aside = rows.people_in(person_rows[:MOST_PEOPLE], host)
    names = {person.id: person.name for person in people}
    shifts, switches = list[Shift](), list[Switch]()
    for row in shift_rows[:most]:
        if row.person in names:
            try:
                shifts.append(rows.shift_of(row))
            except RowWrong as error:
                aside.append(f"A shift of {names[PersonId(row.person)]} counts for nothing: {error}. {_removes(row)}")
    for decided in stored.all_switches(connection, MOST_PEOPLE):
        if decided.person in names:
            try:
                switches.append(rows.switch_of(decided))
            except RowWrong as error:
                name = names[PersonId(decided.person)]
                aside.append(f"What {name} decided for now counts for nothing: {error}. `ivr rota on {name}` ends it")
    if len(person_rows) > MOST_PEOPLE or len(shift_rows) > most:
        aside.append(f"There are more than {MOST_PEOPLE} people or {most} shifts: the rest counts for nothing")
    if sum(bool(shift.rule) for shift in shifts) > MOST_NOW:
        aside.append(f"More than {MOST_NOW} shifts repeat: the line looks at the newest of them. Remove old ones")
    return Known(Rota(tuple(people), tuple(shifts), tuple(switches)), tuple(lost), tuple(aside))


def _removes(row: ShiftRow) -> str:
    return f"`ivr rota remove {row.id.hex()}` removes it"


async def add_person(
    database: Database, host: HostKey, *, name: str, phone: str, languages: tuple[str, ...], tier: Tier, zone: str
) -> Person:
    """Somebody who answers callers; if she has keys, under the same id. `phone` is E.164.

    Raises NameOnRota, RotaFull, StoreUnavailable."""

    def add(connection: Connection) -> Person:
        there = stored.all_people(connection, MOST_PEOPLE)
        if len(there) == MOST_PEOPLE:
            raise RotaFull(f"{MOST_PEOPLE} people answer callers, and no more can: remove one who does not any more")
        if stored.person_named(connection, name) is not None:
            raise NameOnRota(f"{name} answers callers already: change her with `ivr advocates set {name}`")
        own = next((row.id for row in stored_advocates.all_advocates(connection) if row.name == name), None)
        person = Person(PersonId(own or random(PERSON_ID_SIZE)), name, phone, languages, tier, zone)
        stored.put_person(connection, rows.person_row(person, host))
        return person

    return await database.alone(add)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed of a person; None stays. `phone` is E.164."""

    phone: str | None = None
    languages: tuple[str, ...] | None = None
    tier: Tier | None = None
    zone: str | None = None


async def change_person(database: Database, host: HostKey, name: str, change: Change) -> Person:
    """The person as she is then. A new number has not failed yet.

    Raises UnknownPerson, NumberLost, StoreUnavailable."""

    def changed(connection: Connection) -> Person:
        row = row_of(connection, name)
        try:
            phone = rows.phone_of(row, host)
        except WrongSecret:
            if change.phone is None:
                raise NumberLost(
                    f"the number of {name} is lost with the old IVR_SECRET: give it again with --phone"
                ) from None
            phone = change.phone
            stored.set_pin_tag(connection, row.id, None)  # her PIN is lost too: nobody should read that she has one
        old = rows.person_of(replace(row, tier=change.tier or row.tier), change.phone or phone)
        person = replace(
            old,
            languages=change.languages or old.languages,
            tier=change.tier or old.tier,
            zone=change.zone or old.zone,
            is_failing=old.is_failing and change.phone is None,
        )
        stored.put_person(connection, rows.person_row(person, host))
        return person

    return await database.alone(changed)


async def remove_person(database: Database, name: str) -> None:
    """She is not rung any more; her shifts go with her. Raises UnknownPerson, StoreUnavailable."""
    await database.alone(lambda connection: stored.remove_person(connection, row_of(connection, name).id))


def row_of(connection: Connection, name: str) -> PersonRow:
    """Somebody who answers callers, by her name. Raises UnknownPerson."""
    row = stored.person_named(connection, name)
    if row is not None:
        return row
    raise UnknownPerson(
        f"nobody called {name} answers callers: `ivr rota list` shows who does, "
        f"`ivr advocates add {name} --phone +1...` adds somebody"
    )


async def answers(database: Database, name: str) -> bool:
    """Whether somebody of this name answers callers. Raises StoreUnavailable."""
    return await database.read(lambda connection: stored.person_named(connection, name)) is not None


async def add_shifts(database: Database, shifts: Sequence[tuple[str, Shift]], *, instead: bool = False) -> int:
    """Shifts and breaks, each with the name of whose it is (their `id` and `person` are made here); in the place of
    all there are, if `instead`. All or none; how many. What is there already is not added again.

    Raises UnknownPerson, RotaFull, StoreUnavailable."""

    def add(connection: Connection) -> int:
        if instead:
            stored.remove_all_shifts(connection)
        people = {name: row_of(connection, name).id for name in {name for name, _ in shifts}}
        there = stored.all_shifts(connection, MOST_SHIFTS + 1)
        known = {_same(row) for row in there}
        new = {_same(row): row for row in (rows.shift_row(shift, people[name]) for name, shift in shifts)}
        added = [row for same, row in new.items() if same not in known]
        if len(there) + len(added) > MOST_SHIFTS:
            raise RotaFull(f"{MOST_SHIFTS} shifts are kept at most: remove old ones, or write rules instead of days")
        stored.add_shifts(connection, added)
        return len(added)

    return await database.alone(add)


def _same(row: ShiftRow) -> ShiftRow:
    """Without what tells it from another that says the same."""
    return replace(row, id=b"")


async def remove_shift(database: Database, beginning: str) -> Shift | None:
    """The shift whose id begins so; None: it is gone too, but nobody could read it. Raises UnknownShift,
    StoreUnavailable."""

    def remove(connection: Connection) -> Shift | None:
        found = stored.shifts_beginning(connection, beginning.lower()) if _ID.fullmatch(beginning) else []
        if len(found) != 1:
            many = "several shifts begin" if found else "no shift begins"
            raise UnknownShift(f"{many} with `{beginning}`: `ivr rota list` shows them")
        stored.remove_shift(connection, found[0].id)
        with suppress(RowWrong):
            return rows.shift_of(found[0])
        return None

    return await database.alone(remove)


async def switch(database: Database, name: str, *, is_on: bool, until_at: datetime | None, now: datetime) -> None:
    """She decides for now. Off without an end: until she is on again. On without an end: as her shifts say.

    Raises UnknownPerson, StoreUnavailable."""
    await database.alone(
        lambda connection: switch_in(connection, row_of(connection, name).id, is_on=is_on, until_at=until_at, now=now)
    )


def switch_in(connection: Connection, person: bytes, *, is_on: bool, until_at: datetime | None, now: datetime) -> None:
    """`switch` in a transaction."""
    stored.forget_ended(connection, rows.written(now))
    if is_on and until_at is None:
        stored.clear_switch(connection, person)
    else:
        stored.set_switch(connection, SwitchRow(person, is_on, None if until_at is None else rows.written(until_at)))
