"""One person's duty, as she hears it and changes it herself: whether she is on, until when, and what her wish makes of
it. A wish is answered with the switch to write, or with none where it is true already: a wish that comes twice is one.

What lies further ahead than LOOKS_AHEAD is not looked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ivr.oncall.people import Person, PersonId
from ivr.oncall.rota import Rota, Switch

LOOKS_AHEAD = timedelta(days=7)
AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OwnDuty:
    """How somebody stands at a moment.

    `until_at`: while she is on, when she goes off; None if it is not within LOOKS_AHEAD. `next_at`: while she is off,
    when she comes on; None likewise. `is_switched`: what she decided for now holds, whatever her shifts say."""

    is_on: bool
    until_at: datetime | None = None
    next_at: datetime | None = None
    is_switched: bool = False


@dataclass(frozen=True, slots=True)
class ComesNext:
    """Who comes on duty, and when."""

    person: Person
    at: datetime


def duty_of(rota: Rota, person: PersonId, now: datetime) -> OwnDuty:
    """Somebody who is not on the rota is off, for good."""
    own = rota.own(person)
    is_switched = any(switch.holds(now) for switch in own.switches)
    present, *later = own.between(now, now + LOOKS_AHEAD)
    changes_at = later[0].begins_at if later else None
    if present.people:
        return OwnDuty(is_on=True, until_at=changes_at, is_switched=is_switched)
    return OwnDuty(is_on=False, next_at=changes_at, is_switched=is_switched)


def next_on(rota: Rota, now: datetime) -> ComesNext | None:
    """Of those who are off, who comes on first; of several, the first by name. None: nobody within LOOKS_AHEAD."""
    found, ends_at = None, now + LOOKS_AHEAD
    for person in rota.people:
        present, *later = rota.own(person.id).between(now, ends_at)
        if later and not present.people:
            ends_at = later[0].begins_at  # whoever comes later need not be looked for
            found = ComesNext(person, ends_at)
    return found


def switched_off(rota: Rota, person: PersonId, now: datetime) -> Switch | None:
    """Off until what she is on for now would have ended, so that she is on again at her next shift. Whoever is on
    without an end is off without one."""
    duty = duty_of(rota, person, now)
    return Switch(person, is_on=False, until_at=duty.until_at) if duty.is_on else None


def switched_on(rota: Rota, person: PersonId, now: datetime) -> Switch | None:
    """As her shifts say, whatever she decided before; for an hour, if they say that she is off. A switch that is on
    without an end means: as her shifts say."""
    if not rota.own(person).people or rota.is_on(person, now):
        return None
    return Switch(person, is_on=True, until_at=None if rota.is_planned(person, now) else now + AN_HOUR)


def hour_more(rota: Rota, person: PersonId, *, told: datetime | None, now: datetime) -> Switch | None:
    """On until an hour after `told`: the end that she was told before she asked for more, or None if she was told that
    she is off; then it is an hour from now. Never shorter than what she has. Nothing, if she was switched off since she
    was told, or has been off for an hour: then the wish is an old one."""
    if not rota.own(person).people:
        return None
    duty = duty_of(rota, person, now)
    if told is None:
        return None if duty.is_on else Switch(person, is_on=True, until_at=now + AN_HOUR)
    wanted = told + AN_HOUR
    is_old = wanted <= now or (not duty.is_on and now < told)
    has_it = duty.is_on and (duty.until_at is None or duty.until_at >= wanted)
    return None if is_old or has_it else Switch(person, is_on=True, until_at=wanted)
