"""What is wrong with what an admin wrote, as data: a place, a code, one sentence, one cure. Shown elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

ENOUGH = 100
"""No more of one kind are looked for: whoever has so many begins with the first, and a hostile file costs little."""

GUESSES = 20
"""For so many names the nearest known one is looked for, which takes long where many are known."""

_LONGEST_SHOWN = 60
_MOST_KNOWN = 1500
_SHORT_WORD = 3


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A stretch of one line of one file. `line` and `column` count from 1; `length` is in characters."""

    file: str
    line: int = 1
    column: int = 1
    length: int = 1


NOWHERE = Place("")


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One thing that is wrong. Ordered by place, so that everything can be shown from the top of the first file down.

    `message` stands alone; `cure` says what to type. `code` is what `ivr explain` takes."""

    place: Place
    code: str
    message: str
    cure: str


def in_order(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Every diagnostic once, by place."""
    return tuple(sorted(set(found)))


OF_THE_SOURCE = ("not-yaml", "no-shortcuts", "duplicate-key", "not-text")
"""Told while a file is read as YAML; what else seems wrong in such a line follows from it."""


def without_echoes(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Leaves out what is told in a line only because that line could not be read as it was meant."""
    told = list(found)
    first: dict[tuple[str, int], Diagnostic] = {}
    for one in sorted(one for one in told if one.code in OF_THE_SOURCE):
        first.setdefault((one.place.file, one.place.line), one)
    return [one for one in told if first.get((one.place.file, one.place.line), one) == one]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that a mistyped one most resembles, if any does."""
    names = list(known)
    if len(word) > _LONGEST_SHOWN or len(names) > _MOST_KNOWN:
        return None
    spelt = {name.lower(): name for name in sorted(names)}
    cutoff = 0.5 if len(word) <= _SHORT_WORD else 0.6
    near = get_close_matches(word.lower(), spelt, n=1, cutoff=cutoff)
    return spelt[near[0]] if near else None


def suggest(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """The cure for a name nobody knows: the nearest known one, or `otherwise`."""
    near = nearest(word, known)
    return f"Did you mean `{near}`?" if near is not None else otherwise


def listed(words: Iterable[str], *, most: int = 8) -> str:
    """Names for a sentence: `a`, `b` and 3 more."""
    names = list(words)
    shown = ", ".join(f"`{shortened(name)}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def shortened(text: str) -> str:
    """What somebody typed, short enough and plain enough to stand in a sentence."""
    plain = printable(" ".join(text.split()))
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[:_LONGEST_SHOWN]}..."


def printable(text: str) -> str:
    """The same length, and nothing in it that a terminal obeys or an eye cannot see; tabs stay."""
    return "".join(sign if sign.isprintable() or sign == "\t" else "\N{REPLACEMENT CHARACTER}" for sign in text)


def part_of(place: Place, text: str, part: str) -> Place:
    """The place of a part of a text that stands on one line as it was typed; else the place of the whole."""
    quoted = place.length - len(text)
    if quoted not in (0, 2) or part not in text:
        return place
    return replace(place, column=place.column + quoted // 2 + text.index(part), length=len(part))
