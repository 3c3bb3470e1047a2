"""The statements of the rota: who answers, by which PIN she is known, on which hours, and what she decided for now."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Connection, Select, delete, select, update

from ivr.store.tables import people, shifts, switches


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A row of `people`, without its PIN. `languages` with commas between."""

    id: bytes
    name: str
    phone: bytes
    languages: str
    tier: str
    zone: str
    is_failing: bool


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A row of `shifts`."""

    id: bytes
    person: bytes
    first: str
    start: str
    end: str
    zone: str
    rule: str
    is_break: bool


@dataclass(frozen=True, slots=True)
class SwitchRow:
    """A row of `switches`."""

    person: bytes
    is_on: bool
    until_at: str | None


_PERSON = [people.c[field.name] for field in fields(PersonRow)]


def all_people(connection: Connection, most: int) -> Sequence[PersonRow]:
    """Everybody who answers, by name; so many at most."""
    found = select(*_PERSON).order_by(people.c.name).limit(most)
    return [PersonRow(**row._asdict()) for row in connection.execute(found)]


def person_named(connection: Connection, name: str) -> PersonRow | None:
    """Somebody who answers, by name."""
    row = connection.execute(select(*_PERSON).where(people.c.name == name)).first()
    return None if row is None else PersonRow(**row._asdict())


def all_shifts(connection: Connection, most: int) -> Sequence[ShiftRow]:
    """Every shift and break, the earliest first; so many at most, and then the newest."""
    return _shifts(connection, select(shifts), most)


def shifts_near(connection: Connection, since: str, until: str, most: int) -> Sequence[ShiftRow]:
    """What repeats, and what falls on a single day within these two; so many at most, and then the newest."""
    once_near = (shifts.c.rule == "") & shifts.c.first.between(since, until)
    return _shifts(connection, select(shifts).where(once_near | (shifts.c.rule != "")), most)


def shifts_beginning(connection: Connection, beginning: str) -> Sequence[ShiftRow]:
    """Those whose ids begin so, in hexadecimal; two are enough to know that one is not meant."""
    lowest, highest = (bytes.fromhex(beginning.ljust(16, digit)) for digit in "0f")
    return _shifts(connection, select(shifts).where(shifts.c.id.between(lowest, highest)), 2)


def _shifts(connection: Connection, statement: Select[Any], most: int) -> Sequence[ShiftRow]:
    newest = statement.order_by(shifts.c.first.desc(), shifts.c.start.desc(), shifts.c.id.desc()).limit(most)
    return [ShiftRow(*row) for row in connection.execute(newest)][::-1]


def all_switches(connection: Connection, most: int) -> Sequence[SwitchRow]:
    """Everything that somebody decided for now, also what has ended; so many at most."""
    found = select(switches).order_by(switches.c.person).limit(most)
    return [SwitchRow(**row._asdict()) for row in connection.execute(found)]


def put_person(connection: Connection, row: PersonRow) -> None:
    """A person, new or with what has changed of her. Her PIN stays."""
    done = connection.execute(update(people).where(people.c.id == row.id).values(asdict(row)))
    if not done.rowcount:
        connection.execute(people.insert().values(asdict(row)))


def remove_person(connection: Connection, person: bytes) -> None:
    """A person, with her shifts and what she decided."""
    connection.execute(delete(people).where(people.c.id == person))


def set_pin_tag(connection: Connection, person: bytes, tag: bytes | None) -> None:
    """By what she is known, in the place of what it was before; None: by nothing."""
    connection.execute(update(people).where(people.c.id == person).values(pin_tag=tag))


def person_of_tag(connection: Connection, tag: bytes) -> bytes | None:
    """The id of whoever is known by it."""
    return connection.execute(select(people.c.id).where(people.c.pin_tag == tag)).scalar()


def with_pin(connection: Connection) -> frozenset[bytes]:
    """The ids of those who have a PIN."""
    return frozenset(connection.execute(select(people.c.id).where(people.c.pin_tag.is_not(None))).scalars())


def set_failing(connection: Connection, person: bytes, *, is_failing: bool) -> None:
    """Whether her phone could be reached. Writes nothing where that is known already."""
    connection.execute(
        update(people).where(people.c.id == person, people.c.is_failing != is_failing).values(is_failing=is_failing)
    )


def add_shifts(connection: Connection, rows: Sequence[ShiftRow]) -> None:
    """New shifts and breaks."""
    if rows:
        connection.execute(shifts.insert(), [asdict(row) for row in rows])


def remove_shift(connection: Connection, shift: bytes) -> None:
    """A shift or break."""
    connection.execute(delete(shifts).where(shifts.c.id == shift))


def remove_all_shifts(connection: Connection) -> None:
    """Every shift and break of everybody."""
    connection.execute(delete(shifts))


def set_switch(connection: Connection, row: SwitchRow) -> None:
    """What somebody decides now, in the place of what she decided before."""
    clear_switch(connection, row.person)
    connection.execute(switches.insert().values(asdict(row)))


def clear_switch(connection: Connection, person: bytes) -> None:
    """Her shifts say again whether she is on duty."""
    connection.execute(delete(switches).where(switches.c.person == person))


def forget_ended(connection: Connection, now: str) -> None:
    """What was decided until a moment that has passed; `now` is written as `until_at` is."""
    connection.execute(delete(switches).where(switches.c.until_at <= now))
