"""One flow at the door: its calls begin, are resumed from their tokens, and turn; what they become is sealed again."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from ivr.channels.voice import Voice
from ivr.engine.call import Call, CallUnreadable, begin, pack, unpack
from ivr.engine.effects import HangUp, Turn
from ivr.engine.inputs import Began, Input
from ivr.flow.graph import Flow
from ivr.flow.phrases import Phrase
from ivr.kit.clock import Clock
from ivr.line.edge import Edge, Seal, Webhook
from ivr.services.turns import World, take_turn
from ivr.services.world import RingsNobody


@dataclass(frozen=True, slots=True)
class Turning:
    """`side`: whose calls they are; a token of one side opens on no other. `leg_of`: what the world may know a call
    by."""

    flow: Flow
    voice: Voice
    edge: Edge
    world: World
    clock: Clock
    side: str
    leg_of: Callable[[Webhook, Seal], bytes]

    @property
    def ringing_nobody(self) -> "Turning":
        """The same for a call that may be over: see RingsNobody."""
        return dataclasses.replace(self, world=RingsNobody(self.world))

    async def begin(
        self,
        webhook: Webhook,
        *,
        after: str = "",
        step: str | None = None,
        trail: tuple[str, ...] = (),
        language: str | None = None,
        about: bytes = b"",
        said: tuple[Phrase, ...] = (),
    ) -> bytes:
        """A call that begins, at `step` where it is not the start. `after` what was lost: see Edge.begin."""
        now = self.clock.now()
        new, seal = self.edge.begin(webhook, now, after=after, side=self.side)
        call = begin(self.flow, seed=new.seed, at=new.began_at)
        call = replace(
            call,
            step=step or call.step,
            trail=trail,
            language=language or call.language,
            about=about,
            is_late=new.is_late,
        )
        return await self._turn(webhook, call, seal, Began(), now, stamp=new.stamp, said=said)

    async def resume(self, webhook: Webhook, token: str, received: Input) -> bytes | None:
        """The next turn of the call that a token holds; None where it holds none."""
        now = self.clock.now()
        resumed = self.edge.resume(token, webhook, now, side=self.side)
        if resumed is None:
            return None
        try:
            call = unpack(resumed.packed, self.flow)
        except CallUnreadable:
            return None
        if resumed.is_late:
            call = replace(call, is_late=True)
        return await self._turn(webhook, call, resumed.seal, received, now, stamp=now)

    async def _turn(
        self,
        webhook: Webhook,
        call: Call,
        seal: Seal,
        received: Input,
        now: datetime,
        *,
        stamp: datetime,
        said: tuple[Phrase, ...] = (),
    ) -> bytes:
        leg = self.leg_of(webhook, seal)
        turn = await take_turn(self.flow, call, received, now=now, world=self.world, leg=leg)
        token = "" if isinstance(turn.then, HangUp) else seal.seal(pack(turn.call, self.flow), stamp)
        if said:
            told = {one.prompt for one in said}
            turn = Turn(turn.call, (*said, *(one for one in turn.said if one.prompt not in told)), turn.then)
        return self.voice.encode(turn, token)


def known_by_hash(_webhook: Webhook, seal: Seal) -> bytes:
    """A caller: by the keyed hash of her call's id, and by nothing else."""
    return seal.call


def known_by_name(webhook: Webhook, _seal: Seal) -> bytes:
    """Somebody whose phone we rang: by Plivo's name of that call, so that it can be ended."""
    return webhook.call_uuid.encode()
