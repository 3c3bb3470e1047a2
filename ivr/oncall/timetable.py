"""Shifts as a table for a spreadsheet: CSV, one shift or break a line, without numbers or anything of a caller."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO

from ivr.kit.plain import as_cell, from_cell, plain
from ivr.oncall import writing
from ivr.oncall.people import Person, PersonId
from ivr.oncall.rota import Rota, Shift
from ivr.oncall.writing import ShiftWrong

MOST_BYTES = 1_000_000
MOST_LINES = 5_000
"""A year of single days for a dozen people. More is a mistake: rules say the same in a few lines."""
MOST_PROBLEMS = 20
"""So many are told one by one."""

COLUMNS = ("name", "kind", "days", "hours", "first", "last", "zone")
ON, BREAK = "on", "break"


class TimetableWrong(ValueError):
    """Some lines are no shifts: one sentence each, with the number of its line."""

    def __init__(self, problems: Sequence[str]) -> None:
        told = problems[:MOST_PROBLEMS]
        self.problems = (*told, f"and {len(problems) - len(told)} more") if told != problems else tuple(told)
        super().__init__("\n".join(self.problems))


def written(rota: Rota) -> str:
    """Every shift and break, by name. No cell is a formula or moves a cursor, whatever somebody is called."""
    names = {person.id: person.name for person in rota.people}
    out = StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    lines = [_line(names[shift.person], shift) for shift in rota.shifts]
    lines.sort(key=lambda line: [line[column] for column in ("name", "first", "hours", "days")])
    table.writerows({name: as_cell(cell) for name, cell in line.items()} for line in lines)
    return out.getvalue()


def read(text: str, people: Iterable[Person]) -> tuple[tuple[str, Shift], ...]:
    """Whose and which, in the order of the lines. Their ids and persons are empty. Raises TimetableWrong."""
    people = tuple(people)
    known = {told: person for person in people for told in (plain(person.name).strip(), person.name.strip())}
    known |= {person.name: person for person in people}
    table = csv.DictReader(StringIO(text.removeprefix("\ufeff")), restval="", skipinitialspace=True)
    shifts, problems = list[tuple[str, Shift]](), list[str]()
    try:
        missing = [name for name in ("name", "days", "hours", "first") if name not in (table.fieldnames or ())]
        if missing:
            raise TimetableWrong([f"line 1: there is no column {', '.join(missing)}. Begin with {','.join(COLUMNS)}"])
        for number, line in enumerate(table, start=1):
            if number > MOST_LINES:
                raise TimetableWrong([f"it has more than {MOST_LINES:,} lines: write rules instead of days"])
            try:
                shifts.append(_read(line, known))
            except ShiftWrong as error:
                problems.append(f"line {table.line_num}: {error}")
    except csv.Error as error:
        raise TimetableWrong([f"line {table.line_num}: this is no CSV ({error})"]) from error
    if problems:
        raise TimetableWrong(problems)
    return tuple(shifts)


def _line(name: str, shift: Shift) -> dict[str, str]:
    last = writing.last_day(shift)
    days = writing.told_days(shift)
    return {
        "name": name,
        "kind": BREAK if shift.is_break else ON,
        "days": days,
        "hours": writing.told_hours(shift),
        "first": shift.first.isoformat(),
        "last": last.isoformat() if last and "=" not in days else "",
        "zone": shift.zone,
    }


def _read(line: Mapping[str, str | None], people: Mapping[str, Person]) -> tuple[str, Shift]:
    told = {name: from_cell((line.get(name) or "").strip()) for name in COLUMNS}
    person = people.get(from_cell(line.get("name") or "")) or people.get(told["name"])
    if person is None:
        raise ShiftWrong(f"nobody called {told['name'] or '(no name)'} answers callers: `ivr advocates add` adds them")
    if told["kind"] not in ("", ON, BREAK):
        raise ShiftWrong(f"`{told['kind']}` is no kind: write {ON} or {BREAK}")
    first = writing.day(told["first"])
    until = writing.day(told["last"]) if told["last"] else None
    start, end = writing.hours(told["hours"])
    shift = Shift(
        b"",
        PersonId(b""),
        first,
        start,
        end,
        writing.zone(told["zone"] or person.zone),
        writing.rule(told["days"], first=first, until=until),
        is_break=told["kind"] == BREAK,
    )
    return person.name, shift
