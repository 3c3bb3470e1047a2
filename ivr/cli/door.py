"""`ivr call --through-the-door`: the same phone, but by signed webhooks over HTTP, as the phone company would call."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from ivr.carrier.documents import Play, Speak
from ivr.carrier.loopback import Line, PhoneCall
from ivr.carrier.states import AwaitingKeys, Over, Ringing
from ivr.engine.effects import Connect, WaitForDigits, WaitForKey
from ivr.engine.inputs import Answered, Began, FellSilent, Input, Pressed, Returned


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


def _text(sound: Speak | Play) -> str:
    return f"  {sound.text}" if isinstance(sound, Speak) else f"  (recording {sound.url})"
