"""One turn of a call: the engine, and the world's answers to what it asks."""

from datetime import datetime
from typing import Protocol

from ivr.engine.advance import advance
from ivr.engine.asks import Answer, Ask, OnDuty, Ring, SaveReport
from ivr.engine.call import Call
from ivr.engine.effects import HangUp, Turn
from ivr.engine.inputs import Answered, Input
from ivr.flow.graph import Flow
from ivr.flow.phrases import phrase

_ASKS = (SaveReport, Ring, OnDuty)  # a union in isinstance() is built anew each time

MOST_ASKS = 8
"""More asks than this in one turn are a circle of asks: the checker refuses such a flow."""


class World(Protocol):
    """Answers what the engine asks. Never raises: what cannot be done is an answer too."""

    async def answer(self, ask: Ask, call: Call) -> Answer: ...


async def take_turn(flow: Flow, call: Call, received: Input, *, now: datetime, world: World) -> Turn:
    """The next turn, with nothing left to ask."""
    turn = advance(flow, call, received, now=now)
    for _ in range(MOST_ASKS):
        if not isinstance(turn.then, _ASKS):
            return turn
        answer = await world.answer(turn.then, turn.call)
        later = advance(flow, turn.call, Answered(answer), now=now)
        turn = Turn(later.call, (*turn.said, *later.said), later.then)
    return Turn(turn.call, (*turn.said, phrase("line.silence_bye")), HangUp())
