"""Shifts as a table for a spreadsheet: CSV, one shift or break a line, without numbers or anything of a caller."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO

from ivr.oncall import writing
from ivr.oncall.people import Person, PersonId
from ivr.oncall.rota import Rota, Shift
from ivr.oncall.writing import ShiftWrong

COLUMNS = ("name", "kind", "days", "hours", "first", "last", "zone")
ON, BREAK = "on", "break"


class TimetableWrong(ValueError):
    """Some lines are no shifts: one sentence each, with the number of its line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def written(rota: Rota) -> str:
    """Every shift and break, by name."""
    names = {person.id: person.name for person in rota.people}
    out = StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    lines = [_line(names[shift.person], shift) for shift in rota.shifts]
    table.writerows(sorted(lines, key=lambda line: [line[column] for column in ("name", "first", "hours", "days")]))
    return out.getvalue()


def read(text: str, people: Iterable[Person]) -> tuple[tuple[str, Shift], ...]:
    """Whose and which, in the order of the lines. Their ids and persons are empty. Raises TimetableWrong."""
    zones = {person.name: person.zone for person in people}
    table = csv.DictReader(StringIO(text.removeprefix("\ufeff")), restval="", skipinitialspace=True)
    missing = [name for name in ("name", "days", "hours", "first") if name not in (table.fieldnames or ())]
    if missing:
        raise TimetableWrong([f"line 1: there is no column {', '.join(missing)}. Begin with {','.join(COLUMNS)}"])
    shifts, problems = [], []
    for line in table:
        try:
            shifts.append(_read(line, zones))
        except ShiftWrong as error:
            problems.append(f"line {table.line_num}: {error}")
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


def _read(line: Mapping[str, str | None], zones: Mapping[str, str]) -> tuple[str, Shift]:
    told = {name: (line.get(name) or "").strip() for name in COLUMNS}
    name = told["name"]
    if name not in zones:
        raise ShiftWrong(f"nobody called {name or '(no name)'} answers callers: `ivr advocates add` adds her")
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
        writing.zone(told["zone"] or zones[name]),
        writing.rule(told["days"], first=first, until=until),
        is_break=told["kind"] == BREAK,
    )
    return name, shift
