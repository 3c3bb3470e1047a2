"""Calls with a person, carried out: the real line, its real client of Plivo's REST interface, and an exchange in which
advocates' phones ring. All that a phone or the phone company was told is noted, beside all that was kept."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from xml.etree.ElementTree import fromstring

import httpx2
from sqlalchemy import Connection

from ivr.carrier.exchange import Exchange, Number
from ivr.carrier.fields import parse_form
from ivr.carrier.party import Party
from ivr.carrier.refusals import Refusals
from ivr.carrier.rest import PlivoRest
from ivr.carrier.transport import AsgiTransport, Reply, Transport
from ivr.kit.clock import VirtualClock
from ivr.oncall.people import PersonId, Tier
from ivr.oncall.rota import Shift
from ivr.services import pins, rota
from ivr.store.database import Database, StoreUnavailable
from tests.promises.canary import identity
from tests.promises.evidence import temporary_files_in
from tests.promises.house import AUTH_TOKEN, BEGINNING, HOTLINE, PUBLIC_URL, House, house, logs_captured
from tests.promises.requests import Planted

ACCOUNT = "MALOOPBACKLOOPBACK00"
ANA, BO, EVE = "+15005550021", "+15005550022", "+15005550023"
PEOPLE = {"ana": (ANA, ("en",), Tier.ON_CALL), "bo": (BO, ("es",), Tier.ON_CALL), "eve": (EVE, ("en",), Tier.BACKUP)}
"""Who answers, in which languages. Ana is asked in English, Bo in Spanish."""
ALWAYS = Shift(b"", PersonId(b""), date(2026, 1, 1), time(), time(), "UTC", "FREQ=DAILY")
TOKEN = re.compile(rb"(?<=/)[A-Za-z0-9_-]{100,}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hop:
    """A webhook and its reply. `call`: which caller's it is, by number; None on a phone that we rang."""

    leg: str
    call: int | None
    url: str
    fields: Mapping[str, str]
    reply: bytes

    @property
    def path(self) -> str:
        return self.url.removeprefix(PUBLIC_URL).partition("#")[0]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the line asked of the phone company. `headers`: but for our own password."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def bytes(self) -> bytes:
        told = "\n".join(f"{name}: {value}" for name, value in self.headers)
        return f"{self.method} {self.url}\n{told}\n\n".encode() + self.body


Bend = Callable[[httpx2.Request], httpx2.Request]
"""What a mutant makes of a request."""


def _as_it_is(request: httpx2.Request) -> httpx2.Request:
    return request


@dataclass
class Recorder(httpx2.AsyncBaseTransport):
    """A way to the exchange's REST interface on which each request is noted."""

    inner: httpx2.AsyncBaseTransport
    bend: Bend
    asked: list[Asked] = field(default_factory=list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request = self.bend(request)
        body = await request.aread()
        headers = tuple((name, value) for name, value in request.headers.items() if name != "authorization")
        self.asked.append(Asked(request.method, str(request.url), headers, body))
        return await self.inner.handle_async_request(request)


class Absent(Database):
    """A database that is away when it is told to be."""

    away = False

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        self._be_there()
        return await super().read(work, snapshot=snapshot)

    async def write(self, work: Callable[[Connection], T]) -> T:
        self._be_there()
        return await super().write(work)

    def _be_there(self) -> None:
        if self.away:
            raise StoreUnavailable("away")


@dataclass
class Wire:
    """The phone company's way to the line. Of each caller it tells all that Plivo may tell, and something else in each
    call; of the phones that we rang what the exchange says."""

    clock: VirtualClock
    app: Transport | None = None
    hops: list[Hop] = field(default_factory=list)
    callers: dict[str, tuple[int, Transport]] = field(default_factory=dict)
    identities: list[dict[str, str]] = field(default_factory=list)

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        assert self.app is not None, "there is a line behind it"
        fields = parse_form(body) or {}
        leg = fields["CallUUID"]
        if fields["Direction"] == "outbound":
            reply = await self.app.post(url, headers=headers, body=body)
            self.hops.append(Hop(leg, None, url, fields, reply.body))
            return reply
        if leg not in self.callers:
            n = len(self.callers)
            began = f"{self.clock.now():%Y-%m-%d %H:%M:%S}.{238_700 + n}"
            self.identities.append({**identity(n), "SessionStart": began})
            self.callers[leg] = n, Planted(self.app, self.identities[n])
        n, planted = self.callers[leg]
        reply = await planted.post(url, headers=headers, body=body)
        self.hops.append(Hop(leg, n, url, {**fields, **self.identities[n]}, reply.body))
        return reply


@dataclass
class Stage:
    """A line with its phones, for a scene to be played on."""

    of: House
    exchange: Exchange
    wire: Wire
    recorder: Recorder
    pin: str = ""
    told: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What whoever asks may be told of a caller, by the advocate's leg: set by the scene."""

    @property
    def live(self) -> Absent:
        assert isinstance(self.of.parts.live, Absent)
        return self.of.parts.live

    async def rosa(self, *keys: str) -> Party:
        """Somebody calls and presses these; digits without `#` are let end by a pause."""
        party = await self.exchange.call()
        await self.presses(party, *keys)
        return party

    async def presses(self, party: Party, *keys: str) -> None:
        for one in keys:
            await party.press(one)
            if len(one) > 1:
                await self.exchange.run(5)

    async def rings(self, number: str, *, since: int = 0) -> Party:
        """Her phone, once it rings for this scene, picked up by hand."""
        await self.exchange.until(lambda: self.last(number, since) is not None, at_most=90)
        party = self.last(number, since)
        assert party is not None
        await party.pick_up()
        return party

    def last(self, number: str, since: int) -> Party | None:
        found = [one for one in self.exchange.legs[since:] if one.number == number and one.state == "ringing"]
        return found[-1] if found else None

    async def ends(self) -> None:
        """Everybody hangs up, all works again, and some time passes."""
        self.live.away = False
        self.exchange.rest.recovers()
        for party in self.exchange.legs:
            if not party.is_over and party.state != "queued":
                await party.hang_up()
        await self.exchange.run(130)


Scene = Callable[[Stage], Awaitable[None]]


@dataclass
class Warm:
    """What came of it. `files`: while the line was open, with every page that its log still held, and afterwards."""

    hops: list[Hop]
    asked: list[Asked]
    identities: list[dict[str, str]]
    told: dict[str, tuple[str, ...]]
    shown: list[str]
    files: dict[str, bytes] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    marks: list[bytes] = field(default_factory=list)
    """The keyed hash of each live transfer: what may be kept of a caller's call."""
    rooms: list[str] = field(default_factory=list)
    log: bytes = b""

    def of_advocates(self) -> list[Hop]:
        return [hop for hop in self.hops if hop.call is None]

    def legs(self) -> dict[str, list[Hop]]:
        """Phones that we rang and that were picked up, each with what it was told, in order."""
        found: dict[str, list[Hop]] = {}
        for hop in self.of_advocates():
            if hop.path.startswith("/staff/") and not hop.path.startswith("/staff/over/"):
                found.setdefault(hop.leg, []).append(hop)
        return found


def masked(document: bytes) -> bytes:
    """A document without what differs from call to call by design: tokens, and how long they may still talk."""
    return re.sub(rb'timeLimit="\d+"', b'timeLimit=""', TOKEN.sub(b"TOKEN", document))


def words(document: bytes) -> str:
    """All that is said in it."""
    return " ".join("".join(node.itertext()) for node in fromstring(document).iter("Speak"))


@asynccontextmanager
async def staged(folder: Path, blank: Path, *, bend: Bend = _as_it_is, **parts: Any) -> AsyncIterator[Stage]:
    """`parts`: as house takes them."""
    clock = VirtualClock(BEGINNING)
    wire = Wire(clock)
    exchange = Exchange(
        Number(HOTLINE, f"{PUBLIC_URL}/voice/answer", f"{PUBLIC_URL}/voice/hangup"),
        clock=clock,
        token=AUTH_TOKEN,
        transport=wire,
        account=ACCOUNT,
        settled=settled,
    )
    recorder = Recorder(exchange.client_transport(), bend)
    rest = Counted(
        api_url="https://api.plivo.example",
        auth_id=ACCOUNT,
        token=AUTH_TOKEN,
        number=HOTLINE,
        name="Porchlight",
        transport=recorder,
        refusals=Refusals(clock),
    )
    settings: dict[str, Any] = {"blank": blank, "rest": rest, "clock": clock, "database_of": Absent}
    async with house(folder / "line", **(settings | parts)) as of:
        wire.app = AsgiTransport(of.app)
        stage = Stage(of, exchange, wire, recorder)
        stage.pin = await _manned(of)
        try:
            yield stage
        finally:
            await exchange.close()
            await settled()
            await rest.aclose()


async def _manned(of: House) -> str:
    """Ana, Bo and Eve on duty all day; Ana's PIN."""
    for name, (phone, languages, tier) in PEOPLE.items():
        await rota.add_person(
            of.database, of.kept.host, name=name, phone=phone, languages=languages, tier=tier, zone="UTC"
        )
    await rota.add_shifts(of.database, [(name, ALWAYS) for name in PEOPLE])
    return await pins.new_pin(of.database, of.kept.host, "ana")


async def played(folder: Path, blank: Path, *scenes: Scene, **parts: Any) -> Warm:
    """These scenes on one line, one after the other, and all that they left."""
    with logs_captured() as log, temporary_files_in(folder / "tmp"):
        async with staged(folder, blank, **parts) as stage:
            for scene in scenes:
                await scene(stage)
                await stage.ends()
            wire, exchange = stage.wire, stage.exchange
            shown = [f"{leg.shown_number} {leg.shown_name}" for leg in exchange.legs if leg.direction == "outbound"]
            warm = Warm(wire.hops, stage.recorder.asked, wire.identities, stage.told, shown)
            warm.files = files_in(folder)
            warm.keys = {path.name: path.read_bytes() for path in stage.of.keys.glob("*") if path.is_file()}
            rows = (await stage.of.live_rows())["live_transfers"]
            warm.marks, warm.rooms = [row[1] for row in rows], [row[2] for row in rows]
        warm.files |= {f"{name}, later": content for name, content in files_in(folder).items()}
        warm.log = log()
    return warm


def files_in(folder: Path) -> dict[str, bytes]:
    """Every byte under a folder, by path; SQLite's logs without the pages that came again."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            frames = dict.fromkeys(content[at : at + 4120] for at in range(32, len(content), 4120))
            found[str(path.relative_to(folder))] = b"".join(frames) if path.name.endswith("-wal") else content
    return found


class Counted(PlivoRest):
    """Plivo's, and how much is under way there that nobody waits for: no time passes meanwhile."""

    under_way: ClassVar[set[asyncio.Task[Any]]] = set()

    async def cancel(self, request_uuid: str) -> bool:
        return await self._counting(super().cancel(request_uuid))

    async def hang_up(self, call_uuid: str) -> bool:
        return await self._counting(super().hang_up(call_uuid))

    async def empty(self, room: str) -> bool:
        return await self._counting(super().empty(room))

    async def _counting(self, told: Coroutine[Any, Any, bool]) -> bool:
        task = asyncio.current_task()
        assert task is not None
        self.under_way.add(task)
        try:
            return await told
        finally:
            self.under_way.discard(task)


async def settled() -> None:
    """All that the line had to tell the phone company is told."""
    await asyncio.sleep(0)
    while Counted.under_way:
        await asyncio.wait(Counted.under_way)


def saying(request: httpx2.Request, **changes: str | None) -> httpx2.Request:
    """The same request, whose body says something else; None leaves a field out."""
    told = json.loads(request.content) if request.content else {}
    if "to" not in told:
        return request
    said = {name: value for name, value in (told | changes).items() if value is not None}
    headers = {name: value for name, value in request.headers.items() if name != "content-length"}
    return httpx2.Request(request.method, request.url, headers=headers, json=said)
