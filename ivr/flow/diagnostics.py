"""What is wrong with what an admin wrote, as data: a place, a code, one sentence, one cure. Shown elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


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


def suggest(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """The cure for a name nobody knows: the nearest known one, or `otherwise`."""
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`?" if near else otherwise


def listed(words: Iterable[str], *, most: int = 8) -> str:
    """Names for a sentence: `a`, `b` and 3 more."""
    names = list(words)
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
