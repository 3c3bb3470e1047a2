"""Talks by text, played: the same engine and shelf as for a call, and no phones: nobody can be put through to her."""

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from ivr.channels.text import Stops, read
from ivr.engine.call import SEED_BYTES, Call, begin
from ivr.flow.diagnostics import Diagnostic
from ivr.flow.graph import Flow
from ivr.flow.phrases import Phrase
from ivr.flow.talk import RECEIPT, Act, Hears, Talk, Text
from ivr.kit.clock import VirtualClock
from ivr.services.comparing import Differs, compare, heard, prompts_of
from ivr.services.shelf import Shelf
from ivr.services.texts import TextWorld, take_text
from ivr.services.turns import World

HOTLINE = "+15005550006"
BETWEEN = timedelta(seconds=20)


@dataclass(slots=True)
class TextRehearsal:
    """One talk by text."""

    flow: Flow
    talk: Talk
    world: World
    shelf: Shelf
    clock: VirtualClock
    call: Call | None = None
    said: tuple[Phrase, ...] = ()
    language: str = ""

    async def play(self) -> Diagnostic | None:
        """What went otherwise, or None."""
        try:
            for act in self.talk.acts:
                await self._act(act)
            compare(self.talk.expected, self.shelf, ())
        except Differs as differs:
            return differs.diagnostic
        return None

    async def _act(self, act: Act) -> None:
        match act:
            case Text():
                await self._text(self.shelf.code if act.words == RECEIPT else act.words)
            case Hears(who=None):
                heard(act, prompts_of(self.said, self.language))
            case _:
                message = "That does not happen in a conversation by text."
                raise Differs(act.place, message, 'She writes: `text: "1 2"`. She reads what `hears:` names.')

    async def _text(self, words: str) -> None:
        self.clock.advance(BETWEEN)
        message = read(words, self.flow)
        if isinstance(message, Stops):
            self.call, self.said = None, ()
            return
        now = self.clock.now()
        self.shelf.forget(self.flow, now)
        fresh = begin(self.flow, seed=bytes(SEED_BYTES), at=now)
        kept = self.call and msgspec.msgpack.decode(msgspec.msgpack.encode(self.call), type=Call)
        world = TextWorld(self.world, HOTLINE)
        reply = await take_text(self.flow, kept, message, fresh=fresh, now=now, world=world)
        self.call, self.said, self.language = reply.call, reply.said, reply.language
