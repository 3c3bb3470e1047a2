"""The rota in words: a week by the clock of one zone, and what somebody should know about it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from ivr.oncall.coverage import LOOKS_AHEAD, Gap, gaps
from ivr.oncall.people import Tier
from ivr.oncall.rota import Rota, Stretch
from ivr.services.rota import Known

MOST_GAPS = 6
"""So many are told one by one."""

NOBODY_YET = "Nobody answers callers yet: `ivr advocates add NAME --phone +12125550143` adds somebody."

_DAY = timedelta(days=1)


def lines(rota: Rota, *, zone: str, begins_at: datetime, days: int) -> Iterator[str]:
    """Who is on call: a line for each time that somebody comes or goes, by day."""
    here = ZoneInfo(zone)
    today = begins_at.astimezone(here).date()
    for day in (today + _DAY * number for number in range(days)):
        start, end = (datetime.combine(one, time(), here) for one in (day, day + _DAY))
        for number, stretch in enumerate(rota.between(max(start, begins_at), end)):
            shown = f"{day:%a} {day.day:>2} {day:%b}" if not number else ""
            yield f"  {shown:10}  {stretch.begins_at.astimezone(here):%H:%M}  {_people(stretch)}"


def warnings(known: Known, *, languages: tuple[str, ...], zone: str, now: datetime) -> Iterator[str]:
    """What is wrong with the rota, or will be within four weeks: each a sentence, with its cure if it has one."""
    rota, here = known.rota, ZoneInfo(zone)
    for name in known.lost:
        yield f"The number of {name} is lost with the old IVR_SECRET: `ivr advocates set {name} --phone +1...`."
    yield from (f"{sentence}." for sentence in known.aside[:MOST_GAPS])
    if len(known.aside) > MOST_GAPS:
        yield f"{len(known.aside) - MOST_GAPS} more count for nothing: `ivr rota list` shows them all."
    for person in rota.people:
        if person.is_failing:
            yield f"The phone of {person.name} could not be reached when it was last rung: ask her, or change it."
    for switch in rota.switches:
        if switch.holds(now):
            name = next(person.name for person in rota.people if person.id == switch.person)
            until = f" until {_moment(switch.until_at.astimezone(here))}" if switch.until_at else ""
            back = "" if switch.until_at else f": `ivr rota {'off' if switch.is_on else 'on'} {name}` ends it"
            yield f"{name} is switched {'on' if switch.is_on else 'off'}{until}, whatever her shifts say{back}."
    if rota.people:
        yield from _gaps(gaps(rota, languages, now, now + LOOKS_AHEAD), here)


def _gaps(found: Sequence[Gap], here: ZoneInfo) -> Iterator[str]:
    for language, of_language in groupby(found, lambda gap: gap.language):
        missing = list(of_language)
        who = "Nobody is on call" if language is None else f"Nobody on call speaks {language}"
        for gap in missing[:MOST_GAPS]:
            yield f"{who} from {_moment(gap.begins_at.astimezone(here))} to {_moment(gap.ends_at.astimezone(here))}."
        if len(missing) > MOST_GAPS:
            yield f"{who} at {len(missing) - MOST_GAPS} more times in the coming four weeks."


def _people(stretch: Stretch) -> str:
    told = [person.name + (" (backup)" if person.tier is Tier.BACKUP else "") for person in stretch.people]
    return ", ".join(told) or "NOBODY"


def _moment(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %H:%M}"
