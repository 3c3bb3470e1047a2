"""The world as those meet it who answer callers: a call is taken or passed on, shifts are told and changed."""

from dataclasses import dataclass

from ivr.engine.asks import (
    About,
    Answer,
    Ask,
    CallerLeft,
    Connecting,
    CountOutcome,
    Duty,
    HearMore,
    Late,
    Meeting,
    Noted,
    OnDuty,
    PassOffer,
    TakeOffer,
)
from ivr.engine.call import Call
from ivr.kit.clock import Clock
from ivr.services import offering
from ivr.services.offering import Details, ForLeg, Meet, Whisper
from ivr.services.telling import Envelopes
from ivr.services.transfers import Roster, Transfers


@dataclass(frozen=True, slots=True)
class StaffWorld:
    """`call.about` is the offer of whoever's phone rang; `leg` is Plivo's name of the call that we placed to her."""

    transfers: Transfers
    rota: Roster
    envelopes: Envelopes
    clock: Clock

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        """Raises StoreUnavailable: whoever answers is told that something went wrong, and the caller is rung others."""
        match ask:
            case TakeOffer():
                return _taken(await self.transfers.take(call.about, leg.decode()))
            case PassOffer():
                await self.transfers.passed(call.about, leg.decode())
                return Noted()
            case HearMore():
                details = await self.transfers.details(call.about, leg.decode())
                return self._about(details) if isinstance(details, Details) else Late()
            case CountOutcome():
                await self.transfers.outcome(call.about, ask.outcome)
                return Noted()
            case OnDuty():
                return Duty(bool(await self.rota.on_duty(self.clock.now())))
            case _:
                raise AssertionError("callers have a world of their own")

    def _about(self, details: Details) -> About:
        told = self.envelopes.open(details.transfer, details.told)
        return About(details.language, int(details.waited.total_seconds()), told)


def _taken(heard: ForLeg) -> Answer:
    match heard:
        case Meet():
            return Meeting(heard.room)
        case offering.Connecting():
            return Connecting()
        case offering.CallerLeft():
            return CallerLeft()
        case offering.Late() | Whisper():
            return Late()
