"""What somebody asks and changes of her own duty by phone: one reading, or one transaction, for each key she presses.
Each change is answered with how she stands after it. Knows no call, and trusts whoever asks that it is she."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from ivr.kit.time_limits import TimeLimits
from ivr.oncall import duty
from ivr.oncall.duty import ComesNext, OwnDuty
from ivr.oncall.people import Person, PersonId
from ivr.oncall.rota import Rota, Switch
from ivr.services import pins
from ivr.services.rota import people_of, rota_near, switch_in
from ivr.store.database import Database, StoreUnavailable
from ivr.vault.host import HostKey

T = TypeVar("T")


class LiveDuty:
    """For a line that serves. Everything here raises StoreUnavailable where the database is away or does not answer in
    time; a change may then have been made all the same, and the next look tells. Moments are aware."""

    def __init__(self, database: Database, host: HostKey, limits: TimeLimits | None = None) -> None:
        self._database = database
        self._host = host
        self._limits = limits or TimeLimits()

    async def by_pin(self, pin: str) -> PersonId | None:
        """Whose PIN it is; None for whatever else was keyed."""
        return await _in_time(pins.by_pin(self._database, self._host, pin), self._limits.rota)

    async def person(self, person: PersonId) -> Person | None:
        """Who that is; None, if she was removed meanwhile."""
        people = await _in_time(self._database.read(partial(people_of, host=self._host)), self._limits.rota)
        return next((one for one in people if one.id == person), None)

    async def duty_of(self, person: PersonId, now: datetime) -> OwnDuty:
        """Whether she is on, until when, when she is next. Somebody who was removed meanwhile is off."""
        return await self._looked(now, lambda rota: duty.duty_of(rota, person, now))

    async def next_on(self, now: datetime) -> ComesNext | None:
        """Who comes on duty next, of those who are off, and when; None: nobody within seven days."""
        return await self._looked(now, lambda rota: duty.next_on(rota, now))

    async def switch_off(self, person: PersonId, now: datetime) -> OwnDuty:
        """Off until the end of what she is on for; without one, until she decides anew. Twice is once."""
        return await self._changed(person, now, lambda rota: duty.switched_off(rota, person, now))

    async def switch_on(self, person: PersonId, now: datetime) -> OwnDuty:
        """As her shifts say; where they say that she is off, on for an hour. Twice is once."""
        return await self._changed(person, now, lambda rota: duty.switched_on(rota, person, now))

    async def hour_more(self, person: PersonId, *, told: datetime | None, now: datetime) -> OwnDuty:
        """On until an hour after `told`, the `until_at` that she was told before she asked; None, if she was told that
        she is off: then for an hour from now. Twice with the same `told` is once."""
        return await self._changed(person, now, lambda rota: duty.hour_more(rota, person, told=told, now=now))

    async def _looked(self, now: datetime, look: Callable[[Rota], T]) -> T:
        """In the database's thread: it takes longer than a glance where there are many shifts."""

        def work(connection: Connection) -> T:
            return look(rota_near(connection, self._host, now.date()).rota)

        return await _in_time(self._database.read(work, snapshot=True), self._limits.rota)

    async def _changed(self, person: PersonId, now: datetime, wish: Callable[[Rota], Switch | None]) -> OwnDuty:
        """`alone`: what she has is read before it is changed, and the same webhook may be under way elsewhere."""

        def work(connection: Connection) -> OwnDuty:
            rota = rota_near(connection, self._host, now.date()).rota
            switch = wish(rota)
            if switch is not None:
                switch_in(connection, person, is_on=switch.is_on, until_at=switch.until_at, now=now)
                rota = rota_near(connection, self._host, now.date()).rota
            return duty.duty_of(rota, person, now)

        return await _in_time(self._database.alone(work), self._limits.shift_change)


async def _in_time(work: Coroutine[Any, Any, T], seconds: float) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise StoreUnavailable("the database does not say in time who is on call: see whether it is busy") from error
