"""One turn of a call: the engine, and the world's answers to what it asks."""

from datetime import datetime
from typing import Protocol, cast, get_args

from ivr.engine.advance import advance
from ivr.engine.asks import Answer, Ask
from ivr.engine.call import Call
from ivr.engine.effects import Effect, HangUp, Turn
from ivr.engine.inputs import Answered, Input
from ivr.flow.graph import Flow
from ivr.flow.phrases import phrase

_EFFECTS: tuple[type, ...] = get_args(Effect)  # a union in isinstance() is built anew each time

MOST_ASKS = 8
"""More asks than this in one turn are a circle of asks: the checker refuses such a flow."""


class World(Protocol):
    """Answers what the engine asks; for a caller what cannot be done is an answer too. `leg`: what the world may know
    this end of the call by."""

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer: ...


async def take_turn(flow: Flow, call: Call, received: Input, *, now: datetime, world: World, leg: bytes = b"") -> Turn:
    """The next turn, with nothing left to ask."""
    turn = advance(flow, call, received, now=now)
    for _ in range(MOST_ASKS):
        then = turn.then
        if isinstance(then, _EFFECTS):
            return turn
        answer = await world.answer(cast(Ask, then), turn.call, leg)
        later = advance(flow, turn.call, Answered(answer), now=now)
        turn = Turn(later.call, (*turn.said, *later.said), later.then)
    return Turn(turn.call, (*turn.said, phrase("line.silence_bye")), HangUp())
