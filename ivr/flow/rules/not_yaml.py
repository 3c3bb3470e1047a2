"""A file cannot be read: a bracket, a quote, a colon or an indent is not right.

Why: A file that cannot be read to its end would lose every step after the mistake; so nothing of it is used.

Example:

    steps:
      welcome: { choose_language: greeting, next: safety
      safety: { say: safety, next: main }     # the } above is missing

Cure: Look at the line named and the one before it: a missing `}`, `]`, quote or colon, or an indent that differs from
its neighbours.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from ivr.flow.diagnostics import Diagnostic, Place, shortened

_REMARK = re.compile(r"[{,]\s*#")
_CLOSES = {"{": "}", "[": "]"}
_QUOTED_TEXT = 'Put a text that has a colon in quotes: `name: "so: quoted"`.'


@dataclass(frozen=True, slots=True)
class _Told:
    """Where (row and column from 0), what, and what to type."""

    row: int
    column: int
    message: str
    cure: str


def found(file: str, error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Diagnostic:
    """What the reader of YAML stumbled over, in words about brackets, quotes, colons and indents."""
    told = next(_explained(error, lines or [""]))
    row = min(told.row, max(len(lines) - 1, 0))
    column = min(told.column, len(lines[row]) if lines else 0)
    return Diagnostic(Place(file, row + 1, column + 1), "not-yaml", told.message, told.cure)


def no_colon(text: str, name: str, value: str, *, place: Place) -> Diagnostic:
    message = f"`{shortened(text)}` has no colon with a blank after it."
    return Diagnostic(place, "not-yaml", message, f"Write `{shortened(name)}: {shortened(value)}`.")


def run_together(name: str, value: str, *, place: Place) -> Diagnostic:
    message = f"After `{shortened(name)}` a colon is missing."
    return Diagnostic(place, "not-yaml", message, f"Write `{shortened(name)}: {shortened(value)[:20]}...`.")


def no_value(text: str, place: Place) -> Diagnostic:
    message = f"`{shortened(text)}` stands in braces without a value."
    return Diagnostic(place, "not-yaml", message, f"Write `{shortened(text)}: ...`, or a list in brackets: `[...]`.")


def _explained(error: yaml.MarkedYAMLError, lines: Sequence[str]) -> Iterator[_Told]:
    """The best explanation first; the last one fits everything."""
    problem, context = str(error.problem or ""), str(error.context or "")
    mark = error.problem_mark or error.context_mark
    begun = error.context_mark or mark
    row, column = (min(mark.line, len(lines) - 1), mark.column) if mark else (0, 0)
    begun_at = (min(begun.line, len(lines) - 1), begun.column) if begun else (0, 0)
    line = lines[row]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        yield _Told(row, 0, "This line begins with a tab.", "Indent with spaces only.")
    if "quoted scalar" in context:
        yield _quote(problem, row, column, begun_at)
    if "expected ',' or" in problem:
        yield from _bracket(lines, row, column, begun_at)
    if "simple key" in context:
        yield _Told(*begun_at, "This line has no colon with a blank after it.", "Write `name: value`.")
    if "mapping values" in problem:
        yield from _second_colon(lines, row, column)
    if "sequence entries" in problem:
        yield _Told(row, column, "A list does not begin here.", "Put each `- ` on a line of its own.")
    if "expected key" in problem or "'-' indicator" in problem:
        yield from _out_of_line(lines, row, column)
    if "document start" in problem:
        message = "This does not belong to what stands above it."
        yield _Told(row, column, message, "Is a line missing at the top of the file, or a `- ` before its first line?")
    if "start any token" in problem or "alias" in context or "anchor" in context or "tag" in context:
        yield _Told(row, column, "A text cannot begin with this sign.", "Put the whole text in quotes.")
    yield _Told(row, column, "This cannot be read.", "Compare the line with its neighbours: colon, quotes, brackets.")


def _quote(problem: str, row: int, column: int, begun_at: tuple[int, int]) -> _Told:
    if "escape" in problem:
        return _Told(row, column, "A `\\` in double quotes begins a code.", "Leave the `\\` out.")
    return _Told(*begun_at, "A quote is opened here and never closed.", "Close it with the same quote sign.")


def _bracket(lines: Sequence[str], row: int, column: int, begun_at: tuple[int, int]) -> Iterator[_Told]:
    opened = lines[begun_at[0]][begun_at[1] : begun_at[1] + 1]
    closes = _CLOSES.get(opened, "}")
    remark = next((there for there in range(begun_at[0], row + 1) if _REMARK.search(lines[there])), None)
    if remark is not None:
        at = lines[remark].index("#")
        yield _Told(remark, at, "A `#` without quotes begins a remark here.", 'Write "#" with its quotes.')
    yield from _unpaired(lines, begun_at[0], row)
    if begun_at[0] == row:
        yield _Told(row, column, "Something is missing before this.", f"Put a comma there, or a `{closes}`.")
    message = f"This `{opened}` is not closed, or a comma is missing before line {row + 1}."
    yield _Told(*begun_at, message, f"Close it with `{closes}`.")


def _second_colon(lines: Sequence[str], row: int, column: int) -> Iterator[_Told]:
    line = lines[row]
    yield from _unpaired(lines, row, row)
    if "}" in line and "{" not in line:
        yield _Told(row, column, "A `{` is missing in this line.", "Write `name: { ... }`.")
    if ": " in line[:column]:
        yield _Told(row, column, "There is a second colon in this line.", _QUOTED_TEXT)
    yield _Told(
        row,
        len(line) - len(line.lstrip()),
        "This line is indented deeper than the one it follows.",
        "Begin it exactly below the lines that it belongs with.",
    )


def _out_of_line(lines: Sequence[str], row: int, column: int) -> Iterator[_Told]:
    line = lines[row]
    sign = line[column : column + 1]
    if sign in ("}", "]"):
        yield _Told(row, column, f"There is a `{sign}` too many.", "Remove it, or add the sign that opens it.")
    if line[column : column + 2] == "- ":
        yield _Told(row, column, "A list does not belong among `name: value` lines.", "Remove the `-`.")
    yield from _unpaired(lines, 0, row)
    if line[:column].rstrip().endswith(("'", '"', "}", "]")):
        yield _Told(row, column, "The value ends before this.", "Put the whole text in double quotes.")
    yield _Told(
        row,
        column,
        "The indent of this line does not fit the lines around it.",
        "Begin it exactly below the lines that it belongs with.",
    )


def _unpaired(lines: Sequence[str], first: int, last: int) -> Iterator[_Told]:
    """The first line whose double quotes do not come in pairs."""
    for row in range(first, last + 1):
        line = lines[row].replace('\\"', "")
        if line.count('"') % 2 and not line.lstrip().startswith("#"):
            yield _Told(row, lines[row].index('"'), "A quote in this line has no partner.", 'Write `"` at both ends.')
