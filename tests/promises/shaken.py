"""Calls whose webhooks come doubled, late, out of order and to either of two workers, as the phone company may send
them; and callers who press keys at random."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from ivr.carrier.documents import Refused, read
from ivr.carrier.fields import parse_form
from ivr.carrier.loopback import PhoneCall
from ivr.carrier.transport import AsgiTransport, Reply
from ivr.engine.walking import LONGEST_CALL
from ivr.flow.graph import Ask, Choose, Collect
from ivr.flow.wants import WantSave
from ivr.line.freshness import FRESH_FOR, STAMP_SIZE
from ivr.line.staff import EMPTY
from ivr.vault.receipts import ROLLS
from ivr.vault.tokens import kid_of, token_keys
from tests.promises.evidence import agrees, carry_out
from tests.promises.house import House, rested
from tests.promises.paths import HANGUP, SILENCE, Move, Situation, Walker, press
from tests.promises.pressing import Notebook
from tests.promises.replaying import COME_BACK
from tests.promises.warm import TOKEN
from tests.shipped import text


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it was first delivered; `broken`: the disk was."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    reply: Reply
    at: datetime
    began_at: datetime
    broken: bool


@dataclass
class Shaken:
    """A carrier that delivers at least once: to either worker, at times to both at the same moment, and again later."""

    workers: tuple[House, ...]
    chance: Random
    deliveries: list[Delivery] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        now = self.workers[0].clock.now()
        began_at = datetime.strptime((parse_form(body) or {})["SessionStart"], "%Y-%m-%d %H:%M:%S.%f").replace(
            tzinfo=UTC
        )
        first = self._transport()
        if self.chance.random() < 0.2:
            replies = await asyncio.gather(*(self._send(one, url, headers, body) for one in self._doubled()))
        else:
            replies = [await self._send(first, url, headers, body)]
        if len({(reply.status, reply.body) for reply in replies}) > 1:
            self.wrong.append(f"a doubled webhook was answered in two ways: {url}")
        broken = self.workers[0].mood.disk_fails
        self.deliveries.append(Delivery(url, dict(headers), body, replies[0], now, began_at, broken))
        return replies[0]

    async def again(self, delivery: Delivery) -> None:
        """The same webhook once more. The same bytes come back, but for the minute inside their token, unless the clock
        has gone on too far; or, where what it answers was said long ago, an apology that rings nobody; or nothing,
        where a call would go on that is known to be over."""
        before = self.workers[0].mood.disk_fails
        self.breaks(delivery.broken)
        reply = await self._send(self._transport(), delivery.url, delivery.headers, delivery.body)
        self.breaks(before)
        try:
            read(reply.body, reply.content_type)
        except Refused as refused:
            self.wrong.append(f"{delivery.url}: {refused}")
        if any(f"{address}/" in delivery.url for address in COME_BACK) and reply.body == EMPTY:
            return
        if any(b"<Dial" in one.body for one in (reply, delivery.reply)):
            return  # which phones may ring depends on what has rung since, as on the clock
        is_same = self._timeless(delivery, reply) == self._timeless(delivery, delivery.reply)
        if self._is_young(delivery) and not is_same and not self._is_put_off(delivery, reply):
            self.wrong.append(f"other bytes than the first time: {delivery.url[:60]} {delivery.body!r}")

    def breaks(self, broken: bool) -> None:
        """Nothing can be kept and nobody rung, or everything works."""
        for worker in self.workers:
            worker.mood.disk_fails = worker.mood.nobody = broken

    def _is_young(self, delivery: Delivery) -> bool:
        age = self.workers[0].clock.now() - delivery.began_at
        return age < (ROLLS if delivery.url.endswith("/answer") else LONGEST_CALL - timedelta(minutes=1))

    def _is_put_off(self, delivery: Delivery, reply: Reply) -> bool:
        is_old = self.workers[0].clock.now() - delivery.at > FRESH_FOR - timedelta(minutes=2)
        return is_old and any(words in reply.body for words in _APOLOGIES) and b"<Dial" not in reply.body

    def _timeless(self, delivery: Delivery, reply: Reply) -> tuple[int, bytes]:
        """Without what the clock decides: what is left of the call, and when a token was sealed."""
        keys, now = token_keys(self.workers[0].keys), self.workers[0].clock.now()
        call_uuid = (parse_form(delivery.body) or {})["CallUUID"]

        def held(found: re.Match[bytes]) -> bytes:
            token = found[0].decode()
            key = keys.get(kid_of(token) or 0, now=now)
            opened = None if key is None else key.open(token, call=key.bind(call_uuid))
            return found[0] if opened is None else opened[STAMP_SIZE:].hex().encode()

        return reply.status, TOKEN.sub(held, re.sub(rb' timeLimit="\d+"', b"", reply.body))

    def _transport(self) -> AsgiTransport:
        return AsgiTransport(self.chance.choice(self.workers).app)

    def _doubled(self) -> list[AsgiTransport]:
        return [AsgiTransport(self.chance.choice(self.workers).app) for _ in range(self.chance.randrange(2, 4))]

    async def _send(self, to: AsgiTransport, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        return await to.post(url, headers=headers, body=body)


_APOLOGIES = tuple(text(language, "line.trouble").encode() for language in ("en", "es"))


@dataclass
class Caller:
    """Somebody who presses keys at random, mostly those that lead on, and somebody who writes down what she said."""

    workers: tuple[House, ...]
    carrier: Shaken
    walker: Walker
    chance: Random
    at: Situation
    call: PhoneCall
    notebook: Notebook

    @classmethod
    async def begin(cls, workers: tuple[House, ...], carrier: Shaken, chance: Random, name: str) -> "Caller":
        walker = Walker(workers[0].parts.flow, workers[0].clock.now())
        call = await workers[0].line(transport=carrier, seed=name).call()
        return cls(workers, carrier, walker, chance, walker.begin(), call, Notebook(workers[0].parts.flow))

    @property
    def is_over(self) -> bool:
        return self.at.place == "over"

    async def goes_on(self, what: Move | None = None) -> None:
        """One move, on the phone, on the engine and in the notebook."""
        what = what or self._chosen()
        self.carrier.breaks(what.broken)
        await rested(self.workers[0])
        await carry_out(self.call, what)
        before, self.at = self.at, self.walker.move(self.at, what)
        assert agrees(self.call, self.at), f"the phone is elsewhere than the engine after {what}: {self.at}"
        self.notebook.hears(before, what, self.at, saved=self._saved() and not what.broken)

    def _saved(self) -> bool:
        asked = [self.walker.step(one) for edge in self.walker.taken for one in edge]
        return any(isinstance(step, Ask) and isinstance(step.want, WantSave) for step in asked)

    def _chosen(self) -> Move:
        moves, weights = zip(*self._likely(), strict=True)
        what: Move = self.chance.choices(moves, weights)[0]
        return Move(what.do, what.keys, what.outcome, broken=self.chance.random() < 0.06)

    def _likely(self) -> Iterator[tuple[Move, float]]:
        step = self.walker.step(self.at.call.step)
        if self.at.place == "ringing":
            yield from ((Move("dial", outcome="no-answer"), 3), (Move("dial", outcome="completed"), 2))
            return
        yield from ((SILENCE, 3), (press("0"), 2), (press("9"), 0.5), (HANGUP, 3), (press("#"), 20), (press("*"), 6))
        yield from ((press("7"), 3),)
        if isinstance(step, Choose) and self.at.place == "key":
            yield from ((press(option.key), 70 / len(step.options)) for option in step.options)
        if isinstance(step, Collect):
            digits = "".join(self.chance.choices("123456789", k=self.chance.randint(step.least, step.most)))
            yield from ((press(f"{digits}#"), 40), (press(f"55*{digits}#"), 8), (press("1"), 3))
