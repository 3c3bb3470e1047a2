"""The world as a caller meets it: reports are kept, phones are rung. Answers every ask; failing is an answer too."""

from dataclasses import dataclass
from typing import assert_never
from zoneinfo import ZoneInfo

from ivr.engine.asks import Answer, Ask, Dialling, Duty, Nobody, OnDuty, Ring, SaveReport
from ivr.engine.call import Call
from ivr.kit.clock import Clock
from ivr.services.reports import Reports

RING_SECONDS = 20
"""All phones at once; long enough to wake and reach for it, too short for most voicemail to pick up."""


@dataclass(frozen=True, slots=True)
class LiveWorld:
    """`duty_numbers`: who is rung, all at once. `zone`: where the day of a report is counted."""

    reports: Reports
    duty_numbers: tuple[str, ...]
    clock: Clock
    zone: str

    async def answer(self, ask: Ask, call: Call) -> Answer:
        match ask:
            case SaveReport():
                today = self.clock.now().astimezone(ZoneInfo(self.zone)).date()
                return await self.reports.keep(ask, seed=call.seed, turn=call.turn, today=today)
            case Ring():
                return Dialling(self.duty_numbers, RING_SECONDS) if self.duty_numbers else Nobody()
            case OnDuty():
                return Duty(bool(self.duty_numbers))
            case _:
                assert_never(ask)
