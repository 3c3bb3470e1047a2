"""What the rows of the rota say, whoever wrote them into the database: what is not right is set aside with a sentence,
and nothing of it is looked at while a caller waits."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time
from functools import lru_cache

from nacl.utils import random

from ivr.kit.told import Told
from ivr.oncall import writing
from ivr.oncall.people import Person, PersonId, Tier
from ivr.oncall.rota import Shift, Switch
from ivr.oncall.rule import EARLIEST, LATEST, RuleWrong, parse
from ivr.oncall.writing import ShiftWrong
from ivr.store.rota import PersonRow, ShiftRow, SwitchRow
from ivr.vault.host import HostKey, WrongSecret

PERSON_ID_SIZE = 16
SHIFT_ID_SIZE = 8
PHONE_SIZE = 16
"""Bytes of a number under its seal: E.164 has at most fifteen digits."""

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_MOMENT = "%Y-%m-%dT%H:%MZ"
OTHERWISE_ZONE = "UTC"
LONGEST_SENTENCE = 300


class RowWrong(Told):
    """A row that nobody could have written with these tools; the message says what is wrong with it."""


def phone_of(row: PersonRow, host: HostKey) -> str:
    """Raises WrongSecret."""
    return host.open(row.phone, purpose=_purpose(row.id)).rstrip(b"\0").decode("ascii")


def person_of(row: PersonRow, phone: str) -> Person:
    """Where the zone is none, her clock is UTC: she is rung all the same. Raises RowWrong."""
    if row.tier not in set(Tier):
        raise RowWrong(
            f"{row.name} is not rung: `{row.tier}` is no tier. `ivr advocates set {row.name} --tier on_call`"
        )
    zone = row.zone if writing.is_zone(row.zone) else OTHERWISE_ZONE
    languages = tuple(row.languages.split(","))
    return Person(PersonId(row.id), row.name, phone, languages, Tier(row.tier), zone, is_failing=row.is_failing)


def person_row(person: Person, host: HostKey) -> PersonRow:
    sealed = host.seal(person.phone.encode("ascii").ljust(PHONE_SIZE, b"\0"), purpose=_purpose(person.id))
    return PersonRow(
        person.id, person.name, sealed, ",".join(person.languages), person.tier.value, person.zone, person.is_failing
    )


def shift_of(row: ShiftRow) -> Shift:
    """Raises RowWrong."""
    found = _shift_of(row)
    if isinstance(found, str):
        raise RowWrong(found)
    return found


@lru_cache(maxsize=8192)
def _shift_of(row: ShiftRow) -> Shift | str:
    """Remembered, right or wrong: it is read at every transfer, and hardly ever changed."""
    try:
        first = writing.day(row.first)
        if row.rule:
            parse(row.rule, first)
        start, end, zone = _clock(row.start), _clock(row.end), writing.zone(row.zone)
    except (ShiftWrong, RuleWrong) as error:
        return str(error)[:LONGEST_SENTENCE]
    return Shift(row.id, PersonId(row.person), first, start, end, zone, row.rule, is_break=row.is_break)


def shift_row(shift: Shift, person: bytes) -> ShiftRow:
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


def switch_of(row: SwitchRow) -> Switch:
    """Raises RowWrong."""
    if row.until_at is None:
        return Switch(PersonId(row.person), row.is_on)
    try:
        until = datetime.strptime(row.until_at, _MOMENT).replace(tzinfo=UTC)
    except ValueError:
        raise RowWrong(f"`{row.until_at}` is no moment") from None
    if not EARLIEST.year <= until.year <= LATEST.year:
        raise RowWrong(f"`{row.until_at}` is not between {EARLIEST} and {LATEST}")
    return Switch(PersonId(row.person), row.is_on, until)


def written(moment: datetime) -> str:
    """As `until_at` is kept."""
    return moment.astimezone(UTC).strftime(_MOMENT)


def people_in(rows: Sequence[PersonRow], host: HostKey) -> tuple[list[Person], list[str], list[str]]:
    """Who can be rung; the names of those whose numbers are lost; and what is wrong with whom."""
    people, lost, wrong = list[Person](), list[str](), list[str]()
    for row in rows:
        try:
            people.append(person_of(row, phone_of(row, host)))
            if not writing.is_zone(row.zone):
                wrong.append(
                    f"{row.name} hears times in UTC: `{row.zone}` is no zone. Give it with `ivr advocates set`"
                )
        except WrongSecret:
            lost.append(row.name)
        except RowWrong as error:
            wrong.append(str(error))
    return people, lost, wrong


def _purpose(person: bytes) -> bytes:
    return b"phone " + person


def _clock(text: str) -> time:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ShiftWrong(f"`{text}` is no time of day: it is written as 22:00")
    return time(int(found[1]), int(found[2]))
