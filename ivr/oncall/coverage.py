"""When nobody would answer: what is missing in the weeks to come, before a caller finds out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from ivr.oncall.people import Person
from ivr.oncall.rota import Rota, Stretch

LOOKS_AHEAD = timedelta(weeks=4)


@dataclass(frozen=True, slots=True)
class Gap:
    """A time on which nobody is on duty; or nobody who speaks `language`, while somebody else is."""

    begins_at: datetime
    ends_at: datetime
    language: str | None = None


def gaps(rota: Rota, languages: tuple[str, ...], begins_at: datetime, ends_at: datetime) -> tuple[Gap, ...]:
    """Those with nobody at all first; then by language, each in order of time."""
    stretches = rota.between(begins_at, ends_at)
    found = [*_where(stretches, lambda people: not people)]
    for language in languages:
        found += _where(stretches, partial(_nobody_speaks, language), language)
    return tuple(found)


def _nobody_speaks(language: str, people: tuple[Person, ...]) -> bool:
    return bool(people) and not any(person.speaks(language) for person in people)


def _where(
    stretches: tuple[Stretch, ...], lacks: Callable[[tuple[Person, ...]], bool], language: str | None = None
) -> Iterator[Gap]:
    """Stretches that lack somebody, those that follow each other as one."""
    for is_lacking, together in groupby(stretches, lambda stretch: lacks(stretch.people)):
        if is_lacking:
            first, *rest = together
            yield Gap(first.begins_at, (rest[-1] if rest else first).ends_at, language)
