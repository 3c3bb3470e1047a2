"""A line and the phones of everybody it knows, in one virtual time: the composition root, the shipped flows, a rota in
SQLite, live rows, and the real client of the REST interface, whose other end is the exchange."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import httpx2
from sqlalchemy import Connection, func, select
from starlette.routing import Router

from ivr.app import Parts, WorldOf, build
from ivr.carrier.conferences import RoomRules
from ivr.carrier.exchange import Exchange, Number
from ivr.carrier.fields import parse_form
from ivr.carrier.party import Party
from ivr.carrier.rest import PlivoRest
from ivr.carrier.rest_api import Fault, RestTransport, refuses
from ivr.carrier.transport import AsgiTransport, Reply, Transport
from ivr.channels.voice import PATIENT, Voice
from ivr.engine.effects import Meet, Turn
from ivr.kit.clock import VirtualClock
from ivr.line.staff import EMPTY
from ivr.oncall.people import PersonId, Tier
from ivr.oncall.rota import Shift
from ivr.services import rota
from ivr.services.transfers import Transfers
from ivr.services.world import LiveWorld
from ivr.store import live
from ivr.store.database import Database
from ivr.vault.host import HostKey
from tests.founded import SECRET, UNHURRIED
from tests.promises.house import AUTH_TOKEN, HOTLINE, PUBLIC_URL, House, house, initialised
from tests.transfers.people import BACKUP, ENGAGED, LOLA, NUMBERS, OFF, OUTCOMES, POLICIES, ROSA, RULES, Caller, Cell

ACCOUNT = "MALOOPBACKLOOPBACK00"
ZONE = "America/New_York"
RING_ALL = timedelta(seconds=50)
"""The sum of `ring` in the shipped flow."""
TALKS = 40.0
"""Seconds that two talk, if nobody ends it before."""

_DAILY = Shift(b"", PersonId(b""), date(2027, 1, 1), time(), time(), ZONE, "FREQ=DAILY")
_ONCE = replace(_DAILY, first=date(2027, 2, 1), start=time(8), end=time(20), rule="")
_AWAY = replace(_DAILY, is_break=True)


async def peopled(folder: Path) -> None:
    """An initialised line in `folder` with a rota. Everybody who can be on duty is; stories switch people off."""
    await initialised(folder)
    database = Database(f"sqlite:///{folder / 'porchlight.db'}")
    host = HostKey.of(SECRET)
    try:
        for name, number in NUMBERS.items():
            tier = Tier.BACKUP if name in BACKUP else Tier.ON_CALL
            await rota.add_person(database, host, name=name, phone=number, languages=("en", "es"), tier=tier, zone=ZONE)
        daily = [(name, _DAILY) for name in NUMBERS if name != "off"]
        await rota.add_shifts(database, [*daily, ("off", _ONCE), ("zoe", _AWAY)])
    finally:
        await database.close()


@dataclass(frozen=True, slots=True)
class Told:
    """One webhook and what was answered. `turn`: what the document says, where a turn made it."""

    at: datetime
    url: str
    fields: Mapping[str, str]
    reply: Reply
    turn: Turn | None

    @property
    def about(self) -> str:
        """The path of its address, without the token."""
        return "/".join(self.url.removeprefix(PUBLIC_URL).split("/")[:3])


@dataclass
class Ear:
    """A way to the line, which remembers what was said. `turns`: what each document was made of."""

    clock: VirtualClock
    turns: dict[bytes, Turn]
    way: Transport
    told: list[Told] = field(default_factory=list)
    hears: Callable[[Mapping[str, str]], object] = lambda _: None
    """Is told of each webhook before the line is."""
    loses: Callable[[str, Mapping[str, str]], bool] = lambda _url, _fields: False
    """Whether a webhook is answered with nothing and its news is lost."""
    damage: Callable[[str, bytes], bytes] = lambda _, document: document
    """What becomes of each answer on its way."""

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        fields = parse_form(body) or {}
        self.hears(fields)
        if self.loses(url, fields):
            return Reply(200, "application/xml", EMPTY)
        reply = await self.way.post(url, headers=headers, body=body)
        self.told.append(Told(self.clock.now(), url, fields, reply, self.turns.get(reply.body)))
        return replace(reply, body=self.damage(url, reply.body))


@dataclass
class Wire:
    """What leads to the REST interface. `fault` begins with the request of this number, from 1."""

    exchange: Exchange | None = None
    fault: tuple[int, Fault | None] = (0, None)
    asks: Callable[[], object] = lambda: None
    """Is told of each request."""
    cut: str = ""
    """Requests with this in their path reach nobody."""


class Outlet(httpx2.AsyncBaseTransport):
    """A worker's end of it. One that `is_dead` reaches nobody."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.is_dead = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        wire = self._wire
        wire.asks()
        assert wire.exchange is not None, "the exchange is set before anybody calls"
        if self.is_dead or (wire.cut and wire.cut in request.url.path):
            raise httpx2.ConnectError("whoever asks is gone", request=request)
        number, fault = wire.fault
        placed = sum(asked.method == "POST" and asked.path.endswith("/Call/") for asked in wire.exchange.rest.requests)
        if fault is not None and placed + 1 >= number:
            wire.exchange.rest.fails(fault)
        return await RestTransport(wire.exchange.rest).handle_async_request(request)


def plivo(outlet: Outlet) -> PlivoRest:
    """The client that ships, as `ivr serve` makes it."""
    return PlivoRest(
        api_url="https://api.plivo.example",
        auth_id=ACCOUNT,
        token=AUTH_TOKEN,
        number=HOTLINE,
        name="Porchlight",
        transport=outlet,
        limits=UNHURRIED,
    )


def hearing(turns: dict[bytes, Turn]) -> Callable[[Parts, VirtualClock, WorldOf], Router]:
    """A builder whose documents can be looked up."""

    class Noting(Voice):
        def encode(self, turn: Turn, token: str) -> bytes:
            document = super().encode(turn, token)
            turns[document] = turn
            return document

    return lambda parts, clock, world: build(parts, clock, world, voice=Noting)


def transfers_of(line: House) -> Transfers:
    assert isinstance(line.mood.live, LiveWorld), "callers' asks are answered by it"
    return line.mood.live.transfers


@dataclass
class Worker:
    """One process of the line."""

    line: House
    outlet: Outlet
    rest: PlivoRest

    @property
    def transfers(self) -> Transfers:
        return transfers_of(self.line)


@asynccontextmanager
async def worker(
    folder: Path,
    turns: dict[bytes, Turn],
    wire: Wire,
    *,
    blank: Path | None = None,
    clock: VirtualClock | None = None,
) -> AsyncIterator[Worker]:
    """A process of the line in `folder`; with `blank`, the first."""
    outlet = Outlet(wire)
    rest = plivo(outlet)
    async with house(folder, blank=blank, builder=hearing(turns), rest=rest, clock=clock, on_duty=()) as line:
        made = Worker(line, outlet, rest)
        try:
            yield made
        finally:
            await made.transfers.close()
            await rest.aclose()


@dataclass
class Town:
    """A line, and an exchange before it: a new one for each story. `way`: where webhooks go, if not to `first`;
    `settled`: see Exchange."""

    first: Worker
    wire: Wire
    turns: dict[bytes, Turn]
    way: Transport
    settled: Callable[[], Awaitable[object]]
    at_once: bool = False
    stories: int = 0
    damage: Callable[[str, bytes], bytes] = lambda _, document: document
    """Of each answer; a mutant's."""
    duty: tuple[str, ...] | None = None
    rules: RoomRules = field(default_factory=RoomRules)
    exchange: Exchange = field(init=False)
    ear: Ear = field(init=False)
    rosa: Party | None = None
    done_at: datetime | None = None
    """When the caller did what her story says, if she came to it."""
    waits_for_ever: bool = False

    @property
    def clock(self) -> VirtualClock:
        return self.first.line.clock

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A story of its own: nobody has called yet, and everything works."""
        self.turns.clear()
        self.stories += 1
        self.ear = Ear(self.clock, self.turns, self.way, damage=self.damage)
        self.exchange = exchange_before(
            self.ear,
            self.clock,
            self.settled,
            at_once=self.at_once,
            seed=f"story {self.stories}",
            rules=self.rules,
        )
        self.wire.exchange, self.wire.fault, self.wire.cut = self.exchange, (0, None), ""
        self.rosa = self.done_at = None
        self.waits_for_ever = False

    async def on_duty(self, *names: str) -> None:
        """These, and nobody else of those who could be."""
        before, self.duty = self.duty, names
        for name in NUMBERS:
            if name not in OFF and (before is None or (name in names) != (name in before)):
                await rota.switch(
                    self.first.line.database, name, is_on=name in names, until_at=None, now=self.clock.now()
                )

    async def calls(self, number: str = ROSA, *, language: str = "en") -> Party:
        """Somebody calls, chooses her language and presses 0, all at the speed of somebody who knows the line."""
        party = await self.exchange.call(number)
        await self.exchange.until(lambda: party.listened == 1)
        await party.press("2" if language == "es" else "1")
        await self.exchange.run(1)
        await self.exchange.until(lambda: party.listened == 2)  # it takes longer where the line has to be asked again
        await party.press("0")
        await self.exchange.until(lambda: party.exchange[-1].reply is not None)
        return party

    def rung(self) -> list[Party]:
        """Every leg that was not a call to the line."""
        return [leg for leg in self.exchange.legs if leg.direction == "outbound"]

    async def rows(self) -> int:
        """How many live rows there are."""

        def counted(connection: Connection) -> int:
            tables = (live.transfers, live.offers)
            return sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)

        return await self.first.line.parts.live.read(counted)


@asynccontextmanager
async def town(
    folder: Path, blank: Path, *, at_once: bool = False, rules: RoomRules | None = None
) -> AsyncIterator[Town]:
    """A line of one worker in `folder`, which need not be there."""
    turns: dict[bytes, Turn] = {}
    wire = Wire()
    async with worker(folder, turns, wire, blank=blank) as first:
        way, settled = AsgiTransport(first.line.app), first.transfers.close
        made = Town(first, wire, turns, way, settled, at_once, rules=rules or RoomRules())
        try:
            yield made
        finally:
            await made.exchange.close()


def under_every_rule(
    folder: Path, blank: Path, story: Callable[[Town], Awaitable[None]], *, at_once: bool = False
) -> None:
    """Plays a story of its own line under each rule of conferences; under one, where nobody met in any."""

    async def main(name: str) -> bool:
        async with town(folder / f"line {name}", blank, at_once=at_once, rules=RULES[name]) as of:
            await story(of)
            return bool(of.exchange.conferences)

    first, *others = RULES
    if asyncio.run(main(first)):
        for name in others:
            asyncio.run(main(name))


def exchange_before(
    way: Transport,
    clock: VirtualClock,
    settled: Callable[[], Awaitable[object]],
    *,
    at_once: bool = False,
    seed: str,
    rules: RoomRules,
) -> Exchange:
    return Exchange(
        Number(HOTLINE, f"{PUBLIC_URL}/voice/answer{PATIENT}", f"{PUBLIC_URL}/voice/hangup"),
        clock=clock,
        token=AUTH_TOKEN,
        transport=way,
        account=ACCOUNT,
        settled=settled,
        at_once=at_once,
        seed=seed,
        rules=rules,
    )


# ---- one story ----


async def played(cell: Cell, of: Town) -> None:
    """The whole story of a cell, to the last phone's end."""
    if cell.is_busy:
        await of.on_duty(*ENGAGED)
        of.exchange.phone(ENGAGED["gil"], OUTCOMES["takes"])
        await of.calls(LOLA)
        await of.exchange.until(lambda: _met(of))
    await of.on_duty(*cell.does, *(ENGAGED if cell.is_busy else ()))
    for name, does in cell.does.items():
        of.exchange.phone(NUMBERS[name], OUTCOMES[does])
        if does == "is refused at REST":
            of.exchange.rest.fails(refuses(400), number=NUMBERS[name])
    begins = sum(asked.method == "POST" and asked.path.endswith("/Call/") for asked in of.exchange.rest.requests)
    number, fault = POLICIES[cell.rest]
    of.wire.fault = (begins + number, fault)
    of.rosa = rosa = await of.calls(language=cell.language)
    await _acts(of, rosa, cell.caller)
    await _until_her_end(of, rosa)
    lola = next((leg for leg in of.exchange.legs if leg.number == LOLA), None)
    if lola is not None:
        await lola.hang_up()
    await of.exchange.quiet()


async def _acts(of: Town, rosa: Party, caller: Caller) -> None:
    if caller.act == "stays" or not await _comes_to(of, rosa, caller):
        return
    of.done_at = of.clock.now()
    if caller.act == "hangs up":
        await rosa.hang_up()
    else:
        await rosa.press(caller.act)


async def _comes_to(of: Town, rosa: Party, caller: Caller) -> bool:
    """Whether the moment comes at which she wants to do something."""
    seconds = {"at once": 0.5, "while it rings": 8.0}.get(caller.when)
    if seconds is not None:
        await of.exchange.run(seconds)
        return not rosa.is_over and not _met(of, rosa)

    def now() -> bool:
        match caller.when:
            case "while somebody listens":
                return any(leg.state == "listening" for leg in of.rung() if leg.number != ENGAGED["gil"])
            case "in connecting":
                return any(is_connecting(told.turn) for told in of.ear.told if told.at == of.clock.now())
            case "in the doorway":
                return any(_is_coming(told) for told in of.ear.told if told.at == of.clock.now())
            case _:
                return _met(of, rosa)

    try:
        await of.exchange.until(lambda: now() or not _waits(of, rosa), at_most=120)
    except TimeoutError:
        return False
    return now() and not rosa.is_over and (_waits(of, rosa) or caller.when == "in the conference")


def _is_coming(told: Told) -> bool:
    """A caller is sent to the conference."""
    return told.about == "/voice/silence" and told.turn is not None and isinstance(told.turn.then, Meet)


async def _until_her_end(of: Town, rosa: Party) -> None:
    """She waits for what comes; then talks for a while, or hears what she is offered, and hangs up."""
    try:
        await of.exchange.until(lambda: not _waits(of, rosa), at_most=120)
    except TimeoutError:
        of.waits_for_ever = True
    if _met(of, rosa) or rosa.state == "talking":
        await of.exchange.run(TALKS)
    if not rosa.is_over:
        await of.exchange.run(2)
    if not rosa.is_over:
        await rosa.hang_up()


def _waits(of: Town, rosa: Party) -> bool:
    """For a person, as far as she can know: she hears pieces, a ringing tone, or nobody in a room."""
    if rosa.is_over or rosa.state == "talking" or _met(of, rosa):
        return False
    aside = ("/entered/", "/alone/")
    told = [one.reply for one in rosa.exchange if one.reply and not any(path in one.url for path in aside)]
    last = told[-1] if told else None
    return last is not None and any(sign in last.body for sign in (b"<GetDigits", b"<Conference", b"<Dial"))


def _met(of: Town, rosa: Party | None = None) -> bool:
    return any(
        len(room.members) > 1 and (rosa is None or any(stay.party is rosa for stay in room.members))
        for room in of.exchange.conferences.values()
    )


def is_connecting(turn: Turn | None) -> bool:
    """She is told that the caller comes."""
    return turn is not None and any(said.prompt == "line.connecting" for said in turn.said)
