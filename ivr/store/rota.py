"""The statements of the rota: who answers, by which PIN she is known, on which hours, and what she decided for now."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, delete, select, update

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


def all_people(connection: Connection) -> Sequence[PersonRow]:
    """Everybody who answers, by name."""
    return [PersonRow(**row._asdict()) for row in connection.execute(select(*_PERSON).order_by(people.c.name))]


def all_shifts(connection: Connection) -> Sequence[ShiftRow]:
    """Every shift and break, the earliest first."""
    statement = select(shifts).order_by(shifts.c.first, shifts.c.start, shifts.c.id)
    return [ShiftRow(**row._asdict()) for row in connection.execute(statement)]


def all_switches(connection: Connection) -> Sequence[SwitchRow]:
    """Everything that somebody decided for now, also what has ended."""
    return [SwitchRow(**row._asdict()) for row in connection.execute(select(switches).order_by(switches.c.person))]


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


def add_shift(connection: Connection, row: ShiftRow) -> None:
    """A new shift or break."""
    connection.execute(shifts.insert().values(asdict(row)))


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
