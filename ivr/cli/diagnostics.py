"""Diagnostics, shown: full (the author's own line, a caret, what to type), concise (one line each) or JSON."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

import orjson

from ivr.flow.diagnostics import Diagnostic, printable

_WIDEST = 240


class Format(StrEnum):
    full = "full"
    concise = "concise"
    json = "json"


def shown(diagnostics: Iterable[Diagnostic], files: Mapping[str, bytes], how: Format) -> str:
    """The text of all diagnostics in the order given."""
    found = list(diagnostics)
    match how:
        case Format.json:
            return orjson.dumps([_as_data(diagnostic) for diagnostic in found], option=orjson.OPT_INDENT_2).decode()
        case Format.concise:
            return "\n".join(map(_concise, found))
        case Format.full:
            return "\n\n".join("\n".join(_full(diagnostic, files)) for diagnostic in found)


def _concise(diagnostic: Diagnostic) -> str:
    place = diagnostic.place
    return f"{place.file}:{place.line}:{place.column}: {diagnostic.code}: {diagnostic.message} {diagnostic.cure}"


def _full(diagnostic: Diagnostic, files: Mapping[str, bytes]) -> Iterator[str]:
    place = diagnostic.place
    yield f"{place.file}:{place.line}:{place.column}  {diagnostic.code}"
    yield f"  {diagnostic.message}"
    line, start = _cut(printable(_line(files.get(place.file, b""), place.line)), place.column)
    if line.strip():
        number = str(place.line)
        column = place.column - start
        carets = "^" * max(1, min(place.length, len(line) - column + 1))
        yield f"  {number} | {line}"
        yield f"  {' ' * len(number)} | {_indent(line, column)}{carets}"
    yield f"  -> {diagnostic.cure}"


def _line(content: bytes, number: int) -> str:
    lines = content.decode("utf-8-sig", "replace").splitlines()
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _cut(line: str, column: int) -> tuple[str, int]:
    """A line that a terminal can show, and how many of its signs are left out at its beginning."""
    start = max(0, column - _WIDEST // 2) if len(line) > _WIDEST else 0
    return line[start : start + _WIDEST], start


def _indent(line: str, column: int) -> str:
    """Blanks up to the caret; a tab stays a tab, so that the caret stands below the sign it means."""
    return "".join("\t" if sign == "\t" else " " for sign in line[: column - 1])


def _as_data(diagnostic: Diagnostic) -> dict[str, object]:
    place = diagnostic.place
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "length": place.length,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "cure": diagnostic.cure,
    }
