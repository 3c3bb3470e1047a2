"""Text conversations: a text finds its own again, sealed in live rows under what only the number that texts leads to;
it is answered once, whichever worker gets it, however often it comes; and the reply is sent.

The number is here for the length of one text. Nothing is ever sent to somebody who did not just text."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import msgspec
from msgspec.structs import replace
from nacl.utils import random
from sqlalchemy import Connection

from ivr.carrier.rest import Rest, Sending
from ivr.channels.message import message_xml
from ivr.channels.text import Stops, encode, read
from ivr.channels.texted import Texted, TextReply
from ivr.engine.call import Call, begin
from ivr.flow.graph import Flow
from ivr.flow.phrases import Name, phrase
from ivr.kit.clock import Clock
from ivr.kit.time_limits import TimeLimits
from ivr.services.texts import Reply, TextWorld, take_text
from ivr.services.turns import World
from ivr.store import conversations as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.store.live import STAYS, SWEPT_EVERY, milliseconds
from ivr.vault.conversations import LIVES, SECRET_SIZE, ConversationKey, mark
from ivr.vault.keyring import KeyRing
from ivr.vault.receipts import call_seed

LONGEST = LIVES
"""A conversation ends so long after its first text, however often she texts."""
ANSWERS_WITHIN = timedelta(seconds=15)
"""A worker that has not answered by then has died: another may answer."""
WAITS_FOR = timedelta(seconds=4)
"""So long a text waits for the one before it; then the phone company is asked to bring it again."""
LOOKS_EVERY = 0.05
MOST_MARKS = 32
MOST_LOST = 10
"""So many texts in a row that nobody understands are answered: two machines would write to each other for ever."""

T = TypeVar("T")


class Conversation(msgspec.Struct, frozen=True, array_like=True):
    """What is kept between two texts. `call` None: it is over, and only what comes twice is still known. `seen`: the
    marks of the texts that were answered, the last of them with `reply`, which `is_sent` or not. `lost`: how many in a
    row were not understood."""

    secret: bytes
    began_at: datetime
    call: Call | None = None
    seen: tuple[bytes, ...] = ()
    reply: str = ""
    is_sent: bool = True
    lost: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Conversation)


class _Busy(Exception):
    """Another text of the same caller is still being answered, or was, because this one took too long."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The conversation of a number, which nobody else answers `until` then (milliseconds). The first key is that of
    the hour."""

    keys: tuple[ConversationKey, ...]
    found: Conversation | None
    until: int


@dataclass(slots=True)
class Conversations:
    """Answers texts; one per process and event loop. `number` is the hotline's own; `by_xml`: replies go back with the
    text instead of by REST."""

    live: Database
    flow: Flow
    world: World
    rest: Rest
    clock: Clock
    text_keys: KeyRing[bytes]
    number: str
    by_xml: bool = False
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    limits: TimeLimits = dataclasses.field(default_factory=TimeLimits)

    async def answer(self, text: Texted) -> TextReply:
        """Whatever fails, she is told so, and where to call."""
        if not text.sender:
            return TextReply()
        try:
            async with self._claimed(text.sender) as claimed:
                return await self._answered(text, claimed)
        except _Busy:
            return TextReply(is_unsent=True)
        except StoreUnavailable:
            return await self._sent(text, self._sorry())
        except Exception as error:
            return dataclasses.replace(await self._sent(text, self._sorry()), failed=error)

    async def sweep(self) -> None:
        """Delete what is over, in time, also where nobody texts."""
        now = self.clock.now()
        until, longest = milliseconds(now + SWEPT_EVERY), milliseconds(now + 2 * LONGEST)
        await self.live.write(lambda connection: stored.sweep(connection, until=until, longest=longest))

    # ---- one text ----

    async def _answered(self, text: Texted, claimed: Claimed) -> TextReply:
        now = self.clock.now()
        was = claimed.found or Conversation(random(SECRET_SIZE), now.replace(second=0, microsecond=0))
        known = mark(was.secret, text.message_id)
        if known in was.seen:
            is_due = known == was.seen[-1] and was.reply and (self.by_xml or not was.is_sent)
            return await self._delivered(text, claimed, was) if is_due else TextReply()
        if was.call is None:
            # What is over is followed by another conversation, with two hours of its own.
            was = replace(was, began_at=now.replace(second=0, microsecond=0))
        message = read(text.words, self.flow)
        if isinstance(message, Stops):
            if claimed.found is not None:
                await self._keep(claimed, replace(was, call=None, reply=""))
            return TextReply()
        if claimed.found is None:
            # If the worker dies over it, what is saved now is found again: the same text has the same seed then.
            await self._keep(claimed, was)
        # Drawn from nothing that the phone company could ever know.
        fresh = begin(self.flow, seed=call_seed(was.secret, f"text {text.message_id}"), at=was.began_at)
        call = was.call and _later(was.call, now)
        world = TextWorld(self.world, self.number)
        late_at = asyncio.get_running_loop().time() + self.limits.text
        reply = await take_text(
            self.flow,
            call,
            message,
            fresh=_later(fresh, now),
            now=now,
            world=world,
            is_late=lambda: asyncio.get_running_loop().time() > late_at,
        )
        seen = (*was.seen, known)[-MOST_MARKS:]
        lost = was.lost + 1 if reply.is_lost else 0
        written = self._written(reply) if lost <= MOST_LOST else ""
        answered = replace(was, call=reply.call, seen=seen, reply=written, is_sent=not written, lost=lost)
        await self._keep(claimed, answered)
        return await self._delivered(text, claimed, answered) if written else TextReply()

    async def _delivered(self, text: Texted, claimed: Claimed, conversation: Conversation) -> TextReply:
        sent = await self._sent(text, conversation.reply)
        if not sent.is_unsent:
            # Where the conversation is over, a reply that is on its way is nobody's to read any more.
            left = conversation.reply if conversation.call is not None or self.by_xml else ""
            with suppress(StoreUnavailable, _Busy):  # she has her answer; at worst she gets it again, with the text
                await self._keep(claimed, replace(conversation, is_sent=True, reply=left))
        return sent

    async def _sent(self, text: Texted, words: str) -> TextReply:
        if self.by_xml:
            return TextReply(message_xml(self.number, text.sender, words))
        sending = await self.rest.text(text.sender, words)
        return TextReply(is_unsent=sending is Sending.REFUSED)  # what is unclear may have arrived: once is enough

    def _written(self, reply: Reply) -> str:
        return encode(reply.said, reply.language, self.flow)

    def _sorry(self) -> str:
        number = Name(self.number)
        told = tuple(phrase("line.text_trouble", language=one, number=number) for one in self.flow.languages)
        return encode(told, self.flow.languages[0], self.flow)

    # ---- where it lies ----

    @asynccontextmanager
    async def _claimed(self, sender: str) -> AsyncIterator[Claimed]:
        """Raises _Busy, StoreUnavailable."""
        now = self.clock.now()
        self.text_keys.current(now)  # the first of its hour is made
        keys = tuple(ConversationKey.of(k_text, sender) for k_text in self.text_keys.living(now))
        ids = [key.id for key in keys]
        until, bodies = await self._wait_for(ids)
        try:
            yield Claimed(keys, _opened(keys, bodies, now), until)
        finally:
            with suppress(StoreUnavailable):  # then the next text waits until the claim is over
                await self._write(lambda connection: stored.let_go(connection, ids, claimed=until))

    async def _wait_for(self, ids: Sequence[bytes]) -> tuple[int, list[stored.Found]]:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self.limits.claim
        for _ in range(int(WAITS_FOR.total_seconds() / LOOKS_EVERY)):
            if loop.time() >= ends_at:
                break
            now = self.clock.now()
            until, stays = milliseconds(now + ANSWERS_WITHIN), milliseconds(now + STAYS)
            claim = partial(stored.claim, ids=ids, now=milliseconds(now), until=until, stays=stays)
            bodies = await self._write(claim)
            if bodies is not None:
                return until, bodies
            await self.pause(LOOKS_EVERY)
        raise _Busy

    async def _keep(self, claimed: Claimed, conversation: Conversation) -> None:
        """Under the key of this hour, whichever it was under before. Raises _Busy, StoreUnavailable."""
        first, *others = claimed.keys
        sealed = first.seal(_encoder.encode(conversation))
        ends_at = conversation.began_at + LONGEST
        until = min(ends_at, self.clock.now() + STAYS) if conversation.call is None else ends_at
        names = [key.id for key in others]
        keep = partial(stored.keep, body=sealed, until=milliseconds(until), others=names, claimed=claimed.until)
        if not await self._write(lambda connection: keep(connection, first.id)):
            raise _Busy

    async def _write(self, work: Callable[[Connection], T]) -> T:
        """Raises StoreUnavailable, also where the database does not answer in time."""
        try:
            async with asyncio.timeout(self.limits.live):
                return await self.live.write(work)
        except TimeoutError as error:
            raise StoreUnavailable("the database of live calls does not answer in time") from error


def _opened(keys: Sequence[ConversationKey], found: Sequence[stored.Found], now: datetime) -> Conversation | None:
    """The newest that opens and has not ended."""
    bodies = {one.id: one.body for one in found}
    for key in keys:
        body = bodies.get(key.id)
        plain = None if body is None else key.open(body)
        if plain is None:
            continue
        try:
            conversation = _decoder.decode(plain)
        except msgspec.MsgspecError:  # of another version of this program
            continue
        if now < conversation.began_at + LONGEST:
            return conversation
    return None


def _later(call: Call, now: datetime) -> Call:
    """Its turn counts seconds at least: what is saved now is newer than what was saved for a text that was lost when a
    worker died over it."""
    return replace(call, turn=max(call.turn, int((now - call.began_at).total_seconds())))
