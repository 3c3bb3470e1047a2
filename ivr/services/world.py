"""The world as a caller meets it: reports are kept, phones are rung. Answers every ask; failing is an answer too."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from ivr.engine.asks import Answer, Ask, Dialling, Duty, Nobody, OnDuty, Ring, SaveReport
from ivr.engine.call import Call
from ivr.flow.graph import Flow
from ivr.kit.clock import Clock
from ivr.oncall.ladder import RINGS_FOR, Ladder, Rung, at_once
from ivr.oncall.people import Person, Tier
from ivr.services.reports import Reports
from ivr.services.rota import LiveRota

RING_SECONDS = int(RINGS_FOR.total_seconds())


@dataclass(frozen=True, slots=True)
class LiveWorld:
    """`flow` says where the day of a report is counted, and which languages there are."""

    reports: Reports
    rota: LiveRota
    clock: Clock
    flow: Flow

    async def answer(self, ask: Ask, call: Call) -> Answer:
        now = self.clock.now()
        match ask:
            case SaveReport():
                today = now.astimezone(ZoneInfo(self.flow.zone)).date()
                return await self.reports.keep(ask, seed=call.seed, turn=call.turn, today=today)
            case Ring():
                people = at_once(self._ladder(ask, call, await self.rota.on_duty(now), now))
                return Dialling(tuple(person.phone for person in people), RING_SECONDS) if people else Nobody()
            case OnDuty():
                return Duty(bool(await self.rota.on_duty(now)))
            case _:
                assert_never(ask)

    def _ladder(self, ask: Ring, call: Call, on_duty: tuple[Person, ...], now: datetime) -> Ladder:
        rungs = tuple(Rung(Tier(tier), timedelta(seconds=seconds)) for tier, seconds in ask.rungs)
        return Ladder(rungs, now, call.language, self.flow.languages, on_duty)
