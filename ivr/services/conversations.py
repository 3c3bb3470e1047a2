"""Text conversations: a text finds its own again, sealed in live rows under what only the number that texts leads to;
it is answered once, whichever worker gets it, however often it comes; and the reply is sent.

The number is here for the length of one text. Nothing is ever sent to somebody who did not just text."""

import asyncio
import dataclasses
import zlib
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
MOST_CONVERSATIONS = 4_500
CONVERSATIONS_SHARE = 3 / 4
"""Of the room that live rows have: the rest is for calls."""
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


@dataclass(slots=True)
class Claimed:
    """The conversation of a number, which nobody else answers `until` then (milliseconds), unless it `is_released`. The
    first key is that of the hour."""

    keys: tuple[ConversationKey, ...]
    found: Conversation | None
    until: int
    is_released: bool = False


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
            return await self._taken(text)
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
        while await self.live.write(lambda connection: stored.sweep(connection, until=until, longest=longest)):
            """There may be more."""

    # ---- one text ----

    async def _taken(self, text: Texted) -> TextReply:
        """Raises _Busy, StoreUnavailable."""
        is_stop = isinstance(read(text.words, self.flow), Stops)
        try:
            async with self._claimed(text.sender, begins=not is_stop) as claimed:
                return await self._answered(text, claimed)
        except stored.TooMany:
            return TextReply() if is_stop else await self._sent(text, self._told("line.text_busy"))

    async def _answered(self, text: Texted, claimed: Claimed) -> TextReply:
        now = self.clock.now()
        was = claimed.found or _begun(now)
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
                await self._keep(claimed, replace(was, call=None, reply=""), is_last=True)
            return TextReply()
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
        await self._keep(claimed, answered, is_last=not written)
        return await self._delivered(text, claimed, answered) if written else TextReply()

    async def _delivered(self, text: Texted, claimed: Claimed, conversation: Conversation) -> TextReply:
        sent = await self._sent(text, conversation.reply)
        if not sent.is_unsent:
            # Where the conversation is over, a reply that is on its way is nobody's to read any more.
            left = conversation.reply if conversation.call is not None or self.by_xml else ""
            with suppress(StoreUnavailable, _Busy):  # she has her answer; at worst she gets it again, with the text
                await self._keep(claimed, replace(conversation, is_sent=True, reply=left), is_last=True)
        return sent

    async def _sent(self, text: Texted, words: str) -> TextReply:
        if self.by_xml:
            return TextReply(message_xml(self.number, text.sender, words))
        sending = await self.rest.text(text.sender, words)
        return TextReply(is_unsent=sending is Sending.REFUSED)  # what is unclear may have arrived: once is enough

    def _written(self, reply: Reply) -> str:
        return encode(reply.said, reply.language, self.flow)

    def _sorry(self) -> str:
        return self._told("line.text_trouble")

    def _told(self, name: str) -> str:
        """In every language: which one to speak is not known here."""
        number = Name(self.number)
        told = tuple(phrase(name, language=one, number=number) for one in self.flow.languages)
        return encode(told, self.flow.languages[0], self.flow)

    # ---- where it lies ----

    @asynccontextmanager
    async def _claimed(self, sender: str, *, begins: bool = False) -> AsyncIterator[Claimed]:
        """`begins`: a conversation, where there is none. Raises _Busy, TooMany, StoreUnavailable."""
        now = self.clock.now()
        self.text_keys.current(now)  # the first of its hour is made
        keys = tuple(ConversationKey.of(k_text, sender) for k_text in self.text_keys.living(now))
        ids = [key.id for key in keys]
        # Kept at once: if the worker dies over it, what is saved now is found again. The same text has the same seed
        # then.
        fresh = keys[0].seal(_packed(_begun(now))) if begins else None
        until, bodies = await self._wait_for(ids, fresh)
        claimed = Claimed(keys, _opened(keys, bodies, now), until)
        try:
            yield claimed
        finally:
            if not claimed.is_released:
                with suppress(StoreUnavailable):  # then the next text waits until the claim is over
                    await self._write(lambda connection: stored.let_go(connection, ids, claimed=until))

    async def _wait_for(self, ids: Sequence[bytes], fresh: bytes | None) -> tuple[int, list[stored.Found]]:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self.limits.claim
        for _ in range(int(WAITS_FOR.total_seconds() / LOOKS_EVERY)):
            if loop.time() >= ends_at:
                break
            now = self.clock.now()
            until, stays = milliseconds(now + ANSWERS_WITHIN), milliseconds(now + STAYS)
            claim = partial(
                stored.claim,
                ids=ids,
                fresh=fresh,
                most=self._most(),
                now=milliseconds(now),
                until=until,
                stays=stays,
            )
            bodies = await self._write(claim)
            if bodies is not None:
                return until, bodies
            await self.pause(LOOKS_EVERY)
        raise _Busy

    def _most(self) -> int:
        """How many conversations there may be. Raises StoreUnavailable."""
        room = self.live.room_for_rows()
        if room is None:
            return MOST_CONVERSATIONS
        return min(MOST_CONVERSATIONS, int(room * CONVERSATIONS_SHARE) // stored.ROW_BYTES)

    async def _keep(self, claimed: Claimed, conversation: Conversation, *, is_last: bool = False) -> None:
        """Under the key of this hour, whichever it was under before; `is_last` lets the next text be answered. Raises
        _Busy, StoreUnavailable."""
        first, *others = claimed.keys
        sealed = first.seal(_packed(conversation))
        ends_at = conversation.began_at + LONGEST
        until = min(ends_at, self.clock.now() + STAYS) if conversation.call is None else ends_at
        names = [key.id for key in others]
        keep = partial(stored.keep, body=sealed, others=names, claimed=claimed.until, is_last=is_last)
        if not await self._write(lambda connection: keep(connection, first.id, until=milliseconds(until))):
            raise _Busy
        claimed.is_released = is_last

    async def _write(self, work: Callable[[Connection], T]) -> T:
        """Raises StoreUnavailable, also where the database does not answer in time."""
        try:
            async with asyncio.timeout(self.limits.live):
                return await self.live.write(work)
        except TimeoutError as error:
            raise StoreUnavailable("the database of live calls does not answer in time") from error


def _begun(now: datetime) -> Conversation:
    return Conversation(random(SECRET_SIZE), now.replace(second=0, microsecond=0))


def _packed(conversation: Conversation) -> bytes:
    """Pressed together, because a reply is most of it. What length that gives shows nowhere: it is padded."""
    return zlib.compress(_encoder.encode(conversation))


def _opened(keys: Sequence[ConversationKey], found: Sequence[stored.Found], now: datetime) -> Conversation | None:
    """The newest that opens and has not ended."""
    bodies = {one.id: one.body for one in found}
    for key in keys:
        body = bodies.get(key.id)
        plain = None if body is None else key.open(body)
        if plain is None:
            continue
        try:
            conversation = _decoder.decode(zlib.decompress(plain))
        except (zlib.error, msgspec.MsgspecError):  # of another version of this program
            continue
        if now < conversation.began_at + LONGEST:
            return conversation
    return None


def _later(call: Call, now: datetime) -> Call:
    """Its turn counts seconds at least: what is saved now is newer than what was saved for a text that was lost when a
    worker died over it."""
    return replace(call, turn=max(call.turn, int((now - call.began_at).total_seconds())))
