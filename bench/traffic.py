"""Genuine webhooks to replay: whole calls, walked by the loopback carrier beforehand. Tokens are deterministic, so a
line with the same keys answers a replay as it answered the call. Knows nothing of sockets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from ivr.app import Parts, build
from ivr.carrier.fields import Fields
from ivr.carrier.loopback import Line, PhoneCall
from ivr.carrier.signature import MAIN_SIGNATURE, SIGNATURE, sign
from ivr.carrier.states import AwaitingKeys, Ringing
from ivr.carrier.transport import AsgiTransport
from ivr.carrier.webhooks import Exchange
from ivr.engine.asks import Answer, Ask
from ivr.engine.call import Call
from ivr.flow.graph import Flow
from ivr.kit.clock import SystemClock, VirtualClock
from ivr.services.rehearsal import Memory
from ivr.settings import LOOPBACK_NUMBER
from ivr.store.database import Database
from ivr.vault.organisation import Pin

PUBLIC_URL = "http://line.example.org"
KEYS = "1234" * 4 + "###**7"
"""What callers press at a menu: mostly an option, sometimes on or back, now and then a key that does nothing."""
TO_THE_FIRST_SAVE = ("1", "1", "1", "1", "#", "1", "1")
"""English, a report, robbed, no more of that kind, nothing else, today, and that is right."""
SILENCES = 0.15
"""The share of waits at which nothing is pressed."""


@dataclass(frozen=True, slots=True)
class Site:
    """What a replay depends on: `keys` is the folder of short-lived keys, `token` what webhooks are signed with."""

    flow: Flow
    staff: Flow
    keys: Path
    token: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """One signed request. `reply`: the body that the line answered with."""

    path: str
    headers: tuple[tuple[str, str], ...]
    fields: Fields
    body: bytes
    reply: bytes

    def raw(self) -> bytes:
        """As HTTP/1.1 for a connection that is kept."""
        host = urlsplit(PUBLIC_URL).netloc
        told = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        head = f"POST {self.path} HTTP/1.1\r\nHost: {host}\r\n{told}Content-Length: {len(self.body)}\r\n\r\n"
        return head.encode("ascii") + self.body

    def at(self, path: str, token: str) -> "Webhook":
        """The same told at another address, signed anew."""
        told = dict(self.headers)
        nonce = told["X-Plivo-Signature-V3-Nonce"]
        signature = sign(token, url=PUBLIC_URL + path, nonce=nonce, fields=self.fields)
        headers = told | {SIGNATURE: signature, MAIN_SIGNATURE: signature}
        return replace(self, path=path, headers=tuple(headers.items()))

    @property
    def address(self) -> str:
        """The path without its token."""
        return "/".join(self.path.split("/")[:3])


@dataclass(slots=True)
class _Watched:
    """A world in memory that tells whether the world was asked for anything since that was last asked: another world
    may answer otherwise."""

    memory: Memory = field(default_factory=Memory)
    asked: bool = False

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        self.asked = True
        return await self.memory.answer(ask, call, leg)


async def calls(site: Site, count: int, *, turns: int) -> tuple[tuple[Webhook, ...], ...]:
    """`count` different calls of `turns` webhooks each, none of which saves anything: a save is the disk's figure."""
    line, world, clock = _line(site)
    walked = []
    for number in range(count):
        clock.at = SystemClock().now() - timedelta(seconds=1)
        walked.append(await _walked(line, world, Random(number), turns))
    return tuple(walked)


def _line(site: Site) -> tuple[Line, _Watched, VirtualClock]:
    """A phone number that leads to a line with the site's keys and a world in memory."""
    clock = VirtualClock(SystemClock().now() - timedelta(seconds=1))
    world = _Watched()
    parts = Parts(
        flow=site.flow,
        staff=site.staff,
        database=Database(f"sqlite:///{site.keys / 'unused.db'}"),
        spool=Database(f"sqlite:///{site.keys / 'unused.db'}"),
        live=Database(f"sqlite:///{site.keys / 'unused.db'}"),
        secret=bytes(32),
        pin=Pin(bytes(32)),
        carrier_token=site.token,
        public_url=PUBLIC_URL,
        number=LOOPBACK_NUMBER,
        keys=site.keys,
        recordings=Path(),
    )
    app = build(parts, clock, lambda _: world)
    return Line(f"{PUBLIC_URL}/voice/answer", None, site.token, AsgiTransport(app), clock), world, clock


async def saving(site: Site, count: int) -> tuple[tuple[Webhook, Webhook], ...]:
    """Of `count` different calls the webhook at which a report is first saved, and the one before it."""
    line, world, _ = _line(site)
    found = []
    for _ in range(count):
        call = await line.call()
        world.asked = False
        for keys in TO_THE_FIRST_SAVE:
            await call.press(keys)
        assert world.asked, "TO_THE_FIRST_SAVE leads to the first save, and no further"
        before, saves = call.exchange[-2:]
        found.append((_webhook(before), _webhook(saves)))
    return tuple(found)


async def _walked(line: Line, world: _Watched, chance: Random, turns: int) -> tuple[Webhook, ...]:
    taken: list[Webhook] = []
    while len(taken) < turns:
        call = await line.call()
        seen = 0
        while True:
            new, seen = call.exchange[seen:], len(call.exchange)
            taken += [] if world.asked else map(_webhook, new)
            world.asked = False
            if len(taken) >= turns or not isinstance(call.state, AwaitingKeys | Ringing):
                break
            await _acts(call, chance)
    return tuple(taken[:turns])


async def _acts(call: PhoneCall, chance: Random) -> None:
    state = call.state
    if isinstance(state, Ringing):
        await call.dial_ends("no-answer")
    elif chance.random() < SILENCES:
        await call.silence()
    elif isinstance(state, AwaitingKeys) and state.element.num_digits == 1:
        await call.press(chance.choice(KEYS))
    else:
        await call.press(f"{chance.randrange(10**6, 10**7)}#")


def _webhook(exchange: Exchange) -> Webhook:
    assert exchange.reply is not None
    return Webhook(urlsplit(exchange.url).path, exchange.headers, exchange.fields, exchange.body, exchange.reply.body)


def typical(hooks: Sequence[Webhook]) -> bytes:
    """The reply of middling length."""
    return sorted((hook.reply for hook in hooks), key=len)[len(hooks) // 2]


def in_turns(walked: Iterable[tuple[Webhook, ...]]) -> tuple[Webhook, ...]:
    """The first webhook of every call, then the second of every call: as the line hears many callers at once."""
    return tuple(webhook for turn in zip(*walked, strict=True) for webhook in turn)
