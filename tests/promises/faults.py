"""Everything that may break behind the signature, one at a time: the disk, the keys, the token, the flow, the code."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.routing import Router

from ivr.app import Parts, WorldOf, build
from ivr.carrier.loopback import PhoneCall
from ivr.carrier.states import AwaitingKeys, Over, Ringing
from ivr.carrier.transport import AsgiTransport
from ivr.channels.voice import Voice
from ivr.engine.asks import Answer, Ask, OnDuty, Ring, SaveReport
from ivr.engine.call import Call
from ivr.engine.effects import Turn
from ivr.flow.graph import Flow, Step
from ivr.kit.clock import VirtualClock
from ivr.services.turns import World
from ivr.store.database import Database
from tests.promises.house import House, house
from tests.promises.requests import Planted
from tests.shipped import flow as shipped


class Broken(Exception):
    """What nobody foresaw. Its message quotes the caller, as messages do."""


@dataclass(slots=True)
class Raising:
    """A world that breaks at one kind of ask, quoting what it was asked."""

    inner: World
    at: type[Ask]

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        if isinstance(ask, self.at):
            raise Broken(f"{ask} in {call}")
        return await self.inner.answer(ask, call, leg)


class Mute(Voice):
    """Breaks at the fourth turn that it is to speak, and at every later one."""

    spoken = 0

    def encode(self, turn: Turn, token: str) -> bytes:
        self.spoken += 1
        if self.spoken > 3:
            raise Broken(f"cannot say {turn.said} {token}")
        return super().encode(turn, token)


class Holed(dict[str, Step]):
    """A flow's steps, some of which cannot be found once a call has begun."""

    def __getitem__(self, name: str) -> Step:
        if name.endswith(".when") or name == "person":
            raise Broken(f"no step {name}")
        return super().__getitem__(name)


class Gone(Database):
    """A database whose file is not there."""

    def __init__(self, url: str) -> None:
        super().__init__(url.replace(".db", ".elsewhere"))


class Away(Database):
    """The database is not there; the spool is."""

    def __init__(self, url: str) -> None:
        super().__init__(url.replace("porchlight.db", "elsewhere.db"))


@dataclass(frozen=True, slots=True)
class Fault:
    """`parts` is what breaks, as `house` takes it; `strike` breaks something in the middle of the call."""

    name: str
    parts: dict[str, Any] = field(default_factory=dict)
    strike: Callable[[House], None] = lambda _: None
    apologises: bool = True
    """Does she hear of it? A failing save has words of its own."""


def _muted(parts: Parts, clock: VirtualClock, world: WorldOf) -> Router:
    return build(parts, clock, world, voice=Mute)


def _keyless(parts: Parts, clock: VirtualClock, world: WorldOf) -> Router:
    """There was never a place for keys: no call can be begun, not even one that apologises."""
    parts.keys.write_bytes(b"not a folder")
    return build(parts, clock, world)


def _keys_unusable(of: House) -> None:
    if of.keys.is_file():
        return
    for path in of.keys.iterdir():
        path.unlink()
    of.keys.rmdir()
    of.keys.write_bytes(b"not a folder")


def _keys_lost(of: House) -> None:
    of.clock.advance(timedelta(hours=13))


def _holed() -> Flow:
    return replace(shipped(), steps=Holed(shipped().steps))


FAULTS: tuple[Fault, ...] = (
    Fault("the disk is gone", {"database_of": Gone}, apologises=False),
    Fault("the database is away", {"database_of": Away}, apologises=False),
    Fault("the world breaks at a save", {"world_of": lambda world: Raising(world, SaveReport)}),
    Fault("the world breaks at a ring", {"world_of": lambda world: Raising(world, Ring)}),
    Fault("the world breaks at any ask", {"world_of": lambda world: Raising(world, SaveReport | Ring | OnDuty)}),  # type: ignore[arg-type]
    Fault("a turn cannot be spoken", {"builder": _muted}),
    Fault("a step cannot be found", {"flow": _holed()}),
    Fault("the keys have expired", strike=_keys_lost),
    Fault("there was never a place for keys", {"builder": _keyless}),
    Fault("the folder of the keys is a file", {"builder": build}, strike=_keys_unusable, apologises=False),
)

SECRETS_TYPED = "2125550143"
"""What the caller of every fault types: her client's number."""

MOVES = (
    "1",
    "1",
    "1",
    "4",
    "#",
    "1",
    "1",
    "#",
    "#",
    "#",
    "#",
    "#",
    "#",
    "#",
    "#",
    "1",
    "1",
    "55#",
    "1",
    "2125550143#",
    "1",
    "#",
)


@asynccontextmanager
async def struck(
    fault: Fault, folder: Path, blank: Path, *, fields: dict[str, str], **changes: Any
) -> AsyncIterator[tuple[House, list[PhoneCall]]]:
    """A line with a fault, and the calls that met it: one that reports, one that wants a person, one that is silent."""
    calls: list[PhoneCall] = []
    async with house(folder, blank=blank, **(fault.parts | changes)) as of:
        for n, moves in enumerate((MOVES, ("1", "0"), ("2", "1", "1"))):
            told = {**fields, "CallUUID": f"{fields['CallUUID'][:-1]}{n}"}
            line = of.line(transport=Planted(AsgiTransport(of.app), told), seed=f"{fault.name} {n}")
            call = await line.call()
            calls.append(call)
            await _go_through(call, moves[:5])
            fault.strike(of)
            await _go_through(call, moves[5:] or ("0",))
            await _stay(call)
            if not isinstance(call.state, Over):
                await call.hang_up()
        yield of, calls


async def _go_through(call: PhoneCall, moves: tuple[str, ...]) -> None:
    for keys in moves:
        if isinstance(call.state, Ringing):
            await call.dial_ends("no-answer")
        if isinstance(call.state, AwaitingKeys):
            await call.press(keys)


async def _stay(call: PhoneCall) -> None:
    """She does nothing more; phones that ring are not answered."""
    for _ in range(12):
        if isinstance(call.state, Ringing):
            await call.dial_ends("no-answer")
        elif isinstance(call.state, AwaitingKeys):
            await call.silence()
