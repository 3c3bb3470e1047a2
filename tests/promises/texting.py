"""Texts, carried out: the real line, its real client of Plivo's REST interface, and an exchange that delivers what
people write. What each text says of whoever wrote it is planted; all that was answered, asked and kept is noted."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, Literal

import httpx2

from ivr.app import Parts, WorldOf, build
from ivr.carrier.exchange import Exchange, Number
from ivr.carrier.leg import ACCOUNT
from ivr.carrier.refusals import Refusals
from ivr.carrier.rest import PlivoRest
from ivr.carrier.texting import TextRules
from ivr.carrier.transport import AsgiTransport, Reply, Transport, Unreachable
from ivr.engine.asks import Answer, Ask
from ivr.engine.call import Call
from ivr.kit.clock import VirtualClock
from ivr.kit.time_limits import TimeLimits
from ivr.services.turns import World
from ivr.store import live
from ivr.vault.conversations import ConversationKey
from tests.founded import UNHURRIED
from tests.promises.canary import AREAS, NAMES, WITHHELD, Canary, Kind, number, uuid
from tests.promises.faults import Broken
from tests.promises.house import AUTH_TOKEN, BEGINNING, HOTLINE, PUBLIC_URL, Builder, House, house
from tests.promises.warm import Recorder

TEXT_URL = f"{PUBLIC_URL}/text"
RECEIPT = re.compile(r"\b(\d{4} \d{4} \d{4})\b")
_FIRST, _SECOND = "bdfgklmnprstvz", "aeiou"


def phone(who: int) -> str:
    """The number of somebody who writes, in E.164."""
    return f"+{number(AREAS[who % len(AREAS)], 20 + who)}"


def strange(seed: str) -> str:
    """A word that nobody has, and that no text of ours holds: ten letters."""
    drawn = sha256(seed.encode()).digest()
    return "".join(_FIRST[drawn[n] % 14] + _SECOND[drawn[n + 5] % 5] for n in range(5))


def identity(who: int, n: int) -> dict[str, str]:
    """All that Plivo may tell of the `n`-th text beside its words, and more; nobody reads most of it."""
    shown = phone(who) if n % 2 else phone(who).lstrip("+")
    return {
        "From": shown,
        "To": number("929555", who % 4),
        "PowerpackUUID": uuid(f"powerpack {who}"),
        "MessageTime": f"2027-03-10 17:0{n % 10}:33.{238_700 + n}",
        "SenderName": NAMES[who % len(NAMES)],
        "TendlcCampaignUUID": uuid(f"campaign {who}"),
        "UserAgent": f"handset-35693803564{who % 10}809",
        "X-PH-Contact": f"<tel:+{number('332555', who % 10)}>",
    }


@dataclass(frozen=True, slots=True)
class Answered:
    """One delivery, and what came back: how long it took in seconds of the machine's, whatever the clock says."""

    seconds: float
    status: int
    body: bytes


@dataclass
class Post:
    """The phone company's way to the line: every text at the next worker, unless `to` says which."""

    workers: list[Transport] = field(default_factory=list)
    to: Callable[[int], int] = lambda n: n
    answered: list[Answered] = field(default_factory=list)
    left: list["asyncio.Task[Reply]"] = field(default_factory=list)
    """What workers that died were about: it never goes on."""
    died: asyncio.Event = field(default_factory=asyncio.Event)
    _ids: "count[int]" = field(default_factory=count)

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        worker = self.workers[self.to(next(self._ids)) % len(self.workers)]
        since = time.monotonic()
        answering = asyncio.ensure_future(worker.post(url, headers=headers, body=body))
        dying = asyncio.ensure_future(self.died.wait())
        await asyncio.wait({answering, dying}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            self.died.clear()
            self.left.append(answering)
            raise Unreachable("rt")
        dying.cancel()
        reply = answering.result()
        self.answered.append(Answered(time.monotonic() - since, reply.status, reply.body))
        return reply

    async def close(self) -> None:
        for task in self.left:
            task.cancel()
        await asyncio.gather(*self.left, return_exceptions=True)


@dataclass(slots=True)
class Deadly:
    """A world over which a worker dies as it is asked for `at`: before that is done, or after it. Or it breaks,
    in words that quote what it was asked."""

    inner: World
    post: Post
    at: type[Ask] | None = None
    when: Literal["before", "after"] = "before"
    is_final: bool = True
    """Only once; else every worker that comes to it."""
    raises: bool = False

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        if self.raises:
            raise Broken(f"{ask} in {call}")
        if self.at is None or not isinstance(ask, self.at):
            return await self.inner.answer(ask, call, leg)
        if self.is_final:
            self.at = None
        if self.when == "after":
            await self.inner.answer(ask, call, leg)
        self.post.died.set()
        await asyncio.Event().wait()
        raise AssertionError("it is dead")


@dataclass
class Street:
    """People who write, and the line that they write to. `planted`: every canary there was."""

    houses: list[House]
    exchange: Exchange
    post: Post
    recorder: Recorder
    deadly: list[Deadly]
    planted: dict[tuple[str, str], Canary] = field(default_factory=dict)
    _texts: "count[int]" = field(default_factory=count)

    @property
    def of(self) -> House:
        return self.houses[0]

    @property
    def clock(self) -> VirtualClock:
        return self.of.clock

    def plant(self, field: str, value: str, kind: Kind) -> str:
        self.planted.setdefault((field, value), Canary(field, value, kind))
        return value

    def word(self) -> str:
        """A word of her own, which nothing may hold afterwards."""
        return self.plant("Text", strange(f"word {len(self.planted)}"), "text")

    async def writes(
        self, who: int, words: str, *, pictures: Sequence[str] = (), after: float = 0.0, **fields: str
    ) -> str:
        """Somebody texts; `{}` in it is a word of hers. The id of her text."""
        n = next(self._texts)
        while "{}" in words:
            words = words.replace("{}", self.word(), 1)
        told = identity(who, n) | fields
        if pictures:  # no field may stand between Body and From
            told = {name: value for name, value in told.items() if not "Body" < name < "From"}
        for name, value in told.items():
            if value not in WITHHELD:
                self.plant(name, value, _kind(name, value))
        for url in pictures:
            self.plant("Media", url, "text")
        message_id = self.plant("MessageUUID", uuid(f"text {n}"), "id")
        return await self.exchange.text(
            phone(who), words, extra=told, message_id=message_id, pictures=pictures, after=after
        )

    async def reply(self, who: int, words: str, **told: Any) -> str:
        """What she is told, all of it."""
        before = len(self.exchange.inbox(phone(who)))
        await self.writes(who, words, **told)
        return "\n".join(self.exchange.inbox(phone(who))[before:])

    async def report(self, who: int, *texts: str) -> str:
        """The receipt that she is told in the end."""
        told = ""
        for words in texts:
            told = await self.reply(who, words)
        found = RECEIPT.search(told)
        assert found is not None, told
        return self.plant("a receipt", found[1].replace(" ", ""), "text")

    async def rows(self) -> list[tuple[bytes, bytes | None]]:
        """Every conversation, as it lies there."""
        table = live.conversations
        return await self.of.parts.live.read(
            lambda found: [(row.id, row.body) for row in found.execute(table.select())]
        )

    def names(self, *people: int) -> dict[bytes, ConversationKey]:
        """Under what the conversations of these people lie, or of everybody, by every K_text that there is now."""
        keys = [path.read_bytes() for path in self.of.keys.glob("text.*")]
        found = [ConversationKey.of(key, phone(who)) for key in keys for who in people or range(12)]
        return {one.id: one for one in found}


def _kind(name: str, value: str) -> Kind:
    if name == "X-PH-Contact" or (name in ("From", "To") and len(value.strip("+")) > 7 and value.strip("+").isdigit()):
        return "number"
    return "id" if name.endswith("UUID") else "text"


def made(
    parts: Parts,
    clock: VirtualClock,
    world: WorldOf,
    *,
    replies: Literal["rest", "xml"] = "rest",
    limits: TimeLimits = UNHURRIED,
    **exchanged: Any,
) -> Any:  # Any: whatever build takes and gives
    """A line, by its parts and what is exchanged in it."""
    return build(replace(parts, text_replies=replies, limits=limits), clock, world, **exchanged)


@asynccontextmanager
async def street(
    folder: Path,
    blank: Path | None,
    *,
    workers: int = 2,
    replies: Literal["rest", "xml"] = "rest",
    limits: TimeLimits = UNHURRIED,
    rules: TextRules | None = None,
    at_once: bool = False,
    bend: Callable[[httpx2.Request], httpx2.Request] = lambda request: request,
    world_of: Callable[[World], World] = lambda world: world,
    clock: VirtualClock | None = None,
    exchanged: Mapping[str, Any] | None = None,
    builder: Builder | None = None,
    **parts: Any,
) -> AsyncIterator[Street]:
    """`exchanged`: as build takes it; `parts`: as house does."""
    clock, post = clock or VirtualClock(BEGINNING), Post()
    line = Number(HOTLINE, f"{PUBLIC_URL}/voice/answer", message_url=TEXT_URL)
    exchange = Exchange(line, clock=clock, token=AUTH_TOKEN, transport=post, text_rules=rules, at_once=at_once)
    recorder = Recorder(exchange.client_transport(), bend)
    deadly: list[Deadly] = []

    def mortal(world: World) -> World:
        deadly.append(Deadly(world_of(world), post))
        return deadly[-1]

    made_by = builder or partial(made, replies=replies, limits=limits, **(exchanged or {}))
    async with AsyncExitStack() as stack:
        rest = PlivoRest(
            api_url="https://api.plivo.example",
            auth_id=ACCOUNT,
            token=AUTH_TOKEN,
            number=HOTLINE,
            name="Porchlight",
            transport=recorder,
            limits=limits,
            refusals=Refusals(clock),
        )
        stack.push_async_callback(rest.aclose)
        settings: dict[str, Any] = {"builder": made_by, "world_of": mortal, "clock": clock, "rest": rest}
        houses = [
            await stack.enter_async_context(house(folder, blank=None if n else blank, **(settings | parts)))
            for n in range(workers)
        ]
        post.workers = [AsgiTransport(of.app) for of in houses]
        stack.push_async_callback(post.close)
        stack.push_async_callback(exchange.close)
        yield Street(houses, exchange, post, recorder, deadly)
