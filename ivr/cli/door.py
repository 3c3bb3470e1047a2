"""`ivr call --through-the-door`: the same phone, but by signed webhooks over HTTP, as the phone company would call."""

from collections.abc import Iterable, Iterator
from typing import assert_never

import httpx2
import typer
from nacl.utils import random

from ivr.carrier.documents import Play, Speak
from ivr.carrier.loopback import CarrierRefused, Line, PhoneCall
from ivr.carrier.states import AwaitingKeys, Over, Ringing
from ivr.carrier.transport import HttpTransport
from ivr.cli import place
from ivr.cli.phone import Hand, place_call
from ivr.engine.call import SEED_BYTES
from ivr.engine.effects import Connect, WaitForDigits, WaitForKey
from ivr.engine.inputs import Answered, Began, FellSilent, Input, Pressed, Returned
from ivr.kit.clock import SystemClock, VirtualClock
from ivr.settings import Settings


class ThroughTheDoor:
    """A call that a loopback carrier carries to a line that is being served."""

    def __init__(self, call: PhoneCall) -> None:
        self._call = call

    @classmethod
    async def begin(cls, line: Line) -> "ThroughTheDoor":
        """Rings the line. Raises CarrierRefused."""
        return cls(await line.call())

    @property
    def was_never_answered(self) -> bool:
        state = self._call.state
        return isinstance(state, Over) and state.source == "carrier"

    @property
    def heard(self) -> Iterable[str]:
        yield from map(_text, self._call.heard)
        yield from self._state()

    @property
    def waits(self) -> WaitForKey | WaitForDigits | Connect | None:
        state = self._call.state
        match state:
            case AwaitingKeys():
                most = state.element.num_digits
                return WaitForKey() if most == 1 else WaitForDigits(most - 1)
            case Ringing():
                return Connect(state.dial.numbers, state.dial.timeout or 0, state.dial.time_limit)
            case Over():
                return None
            case _:
                assert_never(state)

    async def hears(self, received: Input) -> None:
        match received:
            case Pressed():
                await self._call.press(received.keys)
            case FellSilent():
                await self._call.silence()
            case Returned():
                await self._call.dial_ends("completed" if received.talked else "no-answer")
            case Began() | Answered():
                raise AssertionError("a phone presses keys")
            case _:
                assert_never(received)

    async def hang_up(self) -> None:
        await self._call.hang_up()

    def _state(self) -> Iterator[str]:
        state = self._call.state
        match state:
            case AwaitingKeys() if state.element.num_digits != 1:
                yield f"  [digits, up to {state.element.num_digits - 1}]"
            case Ringing():
                yield f"  [ringing {', '.join(state.dial.numbers)}: /talked or /nobody]"
            case Over():
                yield f"  [the call is over: {state.cause.lower().replace('_', ' ')}]"


async def call_through(of: Settings, hand: Hand) -> None:
    """A call to the line that is served here, or the end of the command with the reason why not."""
    if not of.is_loopback:
        place.give_up(
            "The carrier is Plivo: call the number. (--through-the-door stands in for it where there is none.)"
        )
    token = place.loopback_token(of)
    if token is None:
        place.give_up("No line was ever served here: start it with `make run`.")
    async with httpx2.AsyncClient(timeout=10) as client:
        line = Line(
            answer_url=f"{of.url}/voice/answer",
            hangup_url=f"{of.url}/voice/hangup",
            token=token,
            transport=HttpTransport(client),
            clock=VirtualClock(SystemClock().now()),
            to=of.number,
            seed=random(SEED_BYTES).hex(),
        )
        try:
            telephone = await ThroughTheDoor.begin(line)
            if telephone.was_never_answered:
                place.give_up(f"Nobody answers on {of.url}. Is it served there? `make run` says how to call it.")
            await place_call(telephone, hand, typer.echo)
        except CarrierRefused as error:
            place.give_up(f"{of.url} answered in a way that Plivo would refuse: {error}")


def _text(sound: Speak | Play) -> str:
    return f"  {sound.text}" if isinstance(sound, Speak) else f"  (recording {sound.url})"
