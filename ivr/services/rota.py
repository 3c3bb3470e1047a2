"""The rota: who answers callers, and when. Numbers are sealed under IVR_SECRET, for this person: whoever can only write
to the database can have nobody else's phone rung."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from nacl.utils import random
from sqlalchemy import Connection

from ivr.kit.time_limits import TimeLimits
from ivr.kit.told import Told
from ivr.oncall.people import Person, PersonId, Tier
from ivr.oncall.rota import Rota, Shift, Switch
from ivr.store import advocates as stored_advocates
from ivr.store import rota as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.store.rota import PersonRow, ShiftRow, SwitchRow
from ivr.vault.host import HostKey, WrongSecret

PERSON_ID_SIZE = 16
SHIFT_ID_SIZE = 8
PHONE_SIZE = 16
"""Bytes of a number under its seal: E.164 has at most fifteen digits."""


class UnknownPerson(Told):
    """Nobody of this name answers callers."""


class UnknownShift(Told):
    """There is no such shift, or several are meant."""


class NumberLost(Told):
    """Her number was sealed under another IVR_SECRET."""


class NameOnRota(Told):
    """Somebody of this name answers callers already."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the database says. `lost`: those whose numbers cannot be opened any more; they are not in the rota."""

    rota: Rota
    lost: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nobody was ever put on it."""
        return not self.rota.people and not self.lost


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
        await self.look()
        return self.last_known(at)

    def last_known(self, at: datetime) -> tuple[Person, ...]:
        """As far as this worker saw it when it last looked."""
        people = self._last.on_duty(at) if self._last.people else self._otherwise
        # Two people with one phone are rung by it once.
        return tuple({person.phone: person for person in reversed(people)}.values())[::-1]

    async def look(self) -> None:
        """See what the rota is now, if the database says it in time."""
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(self._look_seconds):
                self._last = (await known(self._database, self._host)).rota

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
    people, lost = [], []
    for row in stored.all_people(connection):
        try:
            people.append(_person_of(row, _phone(row, host)))
        except WrongSecret:
            lost.append(row.name)
    ids = {person.id for person in people}
    shifts = tuple(_shift(row) for row in stored.all_shifts(connection) if row.person in ids)
    switches = tuple(_switch(row) for row in stored.all_switches(connection) if row.person in ids)
    return Known(Rota(tuple(people), shifts, switches), tuple(lost))


async def add_person(
    database: Database, host: HostKey, *, name: str, phone: str, languages: tuple[str, ...], tier: Tier, zone: str
) -> Person:
    """Somebody who answers callers; if she has keys, under the same id. `phone` is E.164.

    Raises NameOnRota, StoreUnavailable."""

    def add(connection: Connection) -> Person:
        if any(row.name == name for row in stored.all_people(connection)):
            raise NameOnRota(f"{name} answers callers already: change her with `ivr advocates set {name}`")
        own = next((row.id for row in stored_advocates.all_advocates(connection) if row.name == name), None)
        person = Person(PersonId(own or random(PERSON_ID_SIZE)), name, phone, languages, tier, zone)
        stored.put_person(connection, _person_row(person, host))
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
            phone = _phone(row, host)
        except WrongSecret:
            if change.phone is None:
                raise NumberLost(
                    f"the number of {name} is lost with the old IVR_SECRET: give it again with --phone"
                ) from None
            phone = change.phone
            stored.set_pin_tag(connection, row.id, None)  # her PIN is lost too: nobody should read that she has one
        old = _person_of(row, change.phone or phone)
        person = replace(
            old,
            languages=change.languages or old.languages,
            tier=change.tier or old.tier,
            zone=change.zone or old.zone,
            is_failing=old.is_failing and change.phone is None,
        )
        stored.put_person(connection, _person_row(person, host))
        return person

    return await database.alone(changed)


async def remove_person(database: Database, name: str) -> None:
    """She is not rung any more; her shifts go with her. Raises UnknownPerson, StoreUnavailable."""
    await database.alone(lambda connection: stored.remove_person(connection, row_of(connection, name).id))


def row_of(connection: Connection, name: str) -> PersonRow:
    """Somebody who answers callers, by her name. Raises UnknownPerson."""
    for row in stored.all_people(connection):
        if row.name == name:
            return row
    raise UnknownPerson(
        f"nobody called {name} answers callers: `ivr rota list` shows who does, "
        f"`ivr advocates add {name} --phone +1...` adds somebody"
    )


async def answers(database: Database, name: str) -> bool:
    """Whether somebody of this name answers callers. Raises StoreUnavailable."""
    rows = await database.read(stored.all_people)
    return any(row.name == name for row in rows)


async def add_shifts(database: Database, shifts: Sequence[tuple[str, Shift]], *, instead: bool = False) -> None:
    """Shifts and breaks, each with the name of whose it is (their `id` and `person` are made here); in the place of
    all there are, if `instead`. All or none. Raises UnknownPerson, StoreUnavailable."""

    def add(connection: Connection) -> None:
        if instead:
            stored.remove_all_shifts(connection)
        for name, shift in shifts:
            stored.add_shift(connection, _shift_row(shift, row_of(connection, name).id))

    await database.alone(add)


async def remove_shift(database: Database, beginning: str) -> Shift:
    """The shift whose id begins so. Raises UnknownShift, StoreUnavailable."""

    def remove(connection: Connection) -> Shift:
        found = [row for row in stored.all_shifts(connection) if row.id.hex().startswith(beginning.lower())]
        if len(found) != 1 or not beginning:
            many = "several shifts begin" if found and beginning else "no shift begins"
            raise UnknownShift(f"{many} with `{beginning}`: `ivr rota list` shows them")
        stored.remove_shift(connection, found[0].id)
        return _shift(found[0])

    return await database.alone(remove)


async def switch(database: Database, name: str, *, is_on: bool, until_at: datetime | None, now: datetime) -> None:
    """She decides for now. Off without an end: until she is on again. On without an end: as her shifts say.

    Raises UnknownPerson, StoreUnavailable."""
    await database.alone(
        lambda connection: switch_in(connection, row_of(connection, name).id, is_on=is_on, until_at=until_at, now=now)
    )


def switch_in(connection: Connection, person: bytes, *, is_on: bool, until_at: datetime | None, now: datetime) -> None:
    """`switch` in a transaction."""
    stored.forget_ended(connection, _written(now))
    if is_on and until_at is None:
        stored.clear_switch(connection, person)
    else:
        stored.set_switch(connection, SwitchRow(person, is_on, None if until_at is None else _written(until_at)))


def _person_of(row: PersonRow, phone: str) -> Person:
    return Person(
        PersonId(row.id), row.name, phone, _split(row.languages), Tier(row.tier), row.zone, is_failing=row.is_failing
    )


def _phone(row: PersonRow, host: HostKey) -> str:
    """Raises WrongSecret."""
    return host.open(row.phone, purpose=_purpose(row.id)).rstrip(b"\0").decode("ascii")


def _person_row(person: Person, host: HostKey) -> PersonRow:
    sealed = host.seal(person.phone.encode("ascii").ljust(PHONE_SIZE, b"\0"), purpose=_purpose(person.id))
    return PersonRow(
        person.id, person.name, sealed, ",".join(person.languages), person.tier.value, person.zone, person.is_failing
    )


def _purpose(person: bytes) -> bytes:
    return b"phone " + person


def _split(languages: str) -> tuple[str, ...]:
    return tuple(languages.split(","))


def _shift(row: ShiftRow) -> Shift:
    return Shift(
        row.id,
        PersonId(row.person),
        date.fromisoformat(row.first),
        time.fromisoformat(row.start),
        time.fromisoformat(row.end),
        row.zone,
        row.rule,
        is_break=row.is_break,
    )


def _shift_row(shift: Shift, person: bytes) -> ShiftRow:
    return ShiftRow(
        random(SHIFT_ID_SIZE),
        person,
        shift.first.isoformat(),
        f"{shift.start:%H:%M}",
        f"{shift.end:%H:%M}",
        shift.zone,
        shift.rule,
        shift.is_break,
    )


def _switch(row: SwitchRow) -> Switch:
    until = None if row.until_at is None else datetime.strptime(row.until_at, _MOMENT).replace(tzinfo=UTC)
    return Switch(PersonId(row.person), row.is_on, until)


_MOMENT = "%Y-%m-%dT%H:%MZ"


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_MOMENT)
