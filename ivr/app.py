"""The composition root: settings, carrier and clock in, an ASGI application out."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

import structlog
from starlette.routing import Router

from ivr.carrier.breaker import Breaker, Shut
from ivr.carrier.rest import NoRest, Rest
from ivr.carrier.signature import Verifier
from ivr.channels.voice import Addresses, Voice
from ivr.flow.graph import Flow
from ivr.kit.clock import Clock
from ivr.kit.time_limits import TimeLimits
from ivr.line.edge import CALLERS, STAFF, Edge
from ivr.line.health import Ready
from ivr.line.rejections import Rejections
from ivr.line.staff import StaffDoor
from ivr.line.text_door import Answers, TextDoor
from ivr.line.text_edge import TextEdge
from ivr.line.turning import Turning, known_by_hash, known_by_name
from ivr.line.webhooks import Door, build_router
from ivr.logs import place_of
from ivr.services import nights
from ivr.services.by_receipt import LiveReceipts
from ivr.services.clock_floor import ClockWatch, believed
from ivr.services.conferences import EMPTIED_EVERY
from ivr.services.conversations import Conversations
from ivr.services.duty import LiveDuty
from ivr.services.outcomes import count_outcome
from ivr.services.rate_limit import RateLimits
from ivr.services.readiness import LOOKS_EVERY, Readiness
from ivr.services.receipt_limit import ReceiptTries
from ivr.services.receipts import SlowHashes
from ivr.services.reports import Reports
from ivr.services.retention import Night
from ivr.services.rota import LiveRota, standing
from ivr.services.spool import Spool
from ivr.services.staff import StaffWorld
from ivr.services.telling import Envelopes
from ivr.services.transfers import Transfers
from ivr.services.turns import World
from ivr.services.world import LiveWorld
from ivr.store import live
from ivr.store.database import Database, StoreUnavailable
from ivr.vault.conversations import text_keys
from ivr.vault.host import HostKey
from ivr.vault.keyring import KeyRing
from ivr.vault.organisation import Pin
from ivr.vault.receipts import ROLLS as SEED_PERIOD
from ivr.vault.receipts import seed_keys
from ivr.vault.tokens import TokenKey, token_keys

HOTLINE_NAME = "Porchlight"
log = structlog.get_logger()

Pause = Callable[[float], Awaitable[object]]
"""Waits for so many seconds."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a line is made of. `carrier_token` signs its webhooks; `keys` is the folder of its short-lived keys; `spool`
    holds reports while the database is away; `live` holds who waits for whom, and may be `database` itself. `rest`
    rings phones and answers texts, unless `text_replies` says that documents do. `limits`: how long a turn
    waits for any of these. `health_token`: who shows it reads every check of /readyz; empty: nobody does."""

    flow: Flow
    staff: Flow
    database: Database
    spool: Database
    live: Database
    secret: bytes
    pin: Pin
    carrier_token: str
    public_url: str
    number: str
    keys: Path
    recordings: Path
    duty_numbers: tuple[str, ...] = ()
    rest: Rest = field(default_factory=NoRest)
    limits: TimeLimits = field(default_factory=TimeLimits)
    text_replies: Literal["rest", "xml"] = "rest"
    health_token: str = ""


@dataclass(frozen=True, slots=True)
class Rings:
    """A line's short-lived keys."""

    seeds: KeyRing[bytes]
    tokens: KeyRing[TokenKey]
    texts: KeyRing[bytes]

    @classmethod
    def of(cls, folder: Path) -> "Rings":
        """Those that lie in this folder, shared by every worker that works there."""
        return cls(seed_keys(folder), token_keys(folder), text_keys(folder))


@dataclass(frozen=True, slots=True)
class Chore:
    """What a line does by itself, again and again, whether or not anybody calls. `on_time`: whenever the clock shows a
    multiple of `every`; else so long after it was last done."""

    name: str
    every: timedelta
    do: Callable[[], Awaitable[object]]
    on_time: bool = False

    def pause(self, now: datetime) -> float:
        """Seconds until it is done again."""
        seconds = self.every.total_seconds()
        return seconds - now.timestamp() % seconds if self.on_time else seconds


@dataclass(slots=True)
class Opening:
    """Files that a line makes when it begins. What fails then, as on a full disk, is done later."""

    left: list[Callable[[], Awaitable[object]]]

    async def go_on(self) -> None:
        """What is left to do. Raises StoreUnavailable."""

        async def done(step: Callable[[], Awaitable[object]]) -> None:
            await step()
            self.left.remove(step)

        await _each(*(partial(done, step) for step in tuple(self.left)))


WorldOf = Callable[[World], World]
AnswersOf = Callable[[Answers], Answers]


def build(
    parts: Parts,
    clock: Clock,
    world_of: WorldOf = lambda world: world,
    *,
    rings: Callable[[Path], Rings] = Rings.of,
    pause: Pause = asyncio.sleep,
    answers_of: AnswersOf = lambda answers: answers,
    verifier: type[Verifier] = Verifier,
    edge: type[Edge] = Edge,
    text_edge: type[TextEdge] = TextEdge,
    voice: type[Voice] = Voice,
    texts_of: type[Conversations] = Conversations,
) -> Router:
    """The line's door as an ASGI application. Tests exchange parts of it: `world_of` stands before disk and phones,
    `rings` are its short-lived keys, `pause` the time between chores, `answers_of` stands before whoever answers texts;
    the rest are classes to be damaged."""
    clock, keys = believed(clock), rings(parts.keys)
    genuine = verifier([parts.carrier_token], parts.public_url)
    rejections = Rejections()
    guard = edge(genuine, keys.tokens, keys.seeds, seed_period=SEED_PERIOD, rejections=rejections)
    addresses = Addresses(parts.public_url, parts.number, HOTLINE_NAME)
    slow_hashes, host, spool = SlowHashes(), HostKey.of(parts.secret), Spool(parts.spool)
    reports = Reports(
        parts.database, spool, host=host, pin=parts.pin, slow_hashes=slow_hashes, save_seconds=parts.limits.save
    )
    flow = parts.flow
    receipts = _receipts(parts, host, slow_hashes, reports)
    standby = standing(parts.duty_numbers, flow.languages, flow.zone)
    rota = LiveRota(parts.database, host, standby, look_seconds=parts.limits.rota)
    breaker = Shut() if isinstance(parts.rest, NoRest) else Breaker()
    transfers = Transfers(parts.live, rota, parts.rest, clock, flow.languages, addresses, breaker, parts.limits.live)
    envelopes = Envelopes(keys.tokens, clock)
    rate_limits = RateLimits(parts.live, parts.limits.rate_limit)
    tries = ReceiptTries(rate_limits, parts.database)
    world = LiveWorld(reports, receipts, tries, rota, transfers, envelopes, clock, flow)
    met = world_of(world)
    callers = Turning(flow, voice(flow, addresses), guard, met, clock, CALLERS, known_by_hash)
    staff_voice = voice(parts.staff, dataclasses.replace(addresses, door="staff"))
    desk, count = LiveDuty(parts.database, host, parts.limits), partial(count_outcome, parts.database)
    staff_world = StaffWorld(transfers, rota, desk, count, envelopes, clock, parts.staff, rate_limits)
    staff = Turning(parts.staff, staff_voice, guard, staff_world, clock, STAFF, known_by_name)
    doors = Door(callers, guard, world, rota), StaffDoor(staff, transfers, rota, guard)
    conversations = _conversations(parts, keys, met, clock, texts_of)
    texts = TextDoor(text_edge(genuine, parts.number, rejections), answers_of(conversations.answer))
    readiness = _readiness(parts, keys, reports, rota, breaker, clock)
    ready = Ready(readiness, parts.health_token)
    router = build_router(*doors, guard, parts.recordings, rejections, ready, texts)
    night = Night(parts.database, host, parts.pin, flow, clock, spool, nights.Looks())
    watch = ClockWatch(clock, parts.database, flow.zone)
    opening = Opening([spool.open, partial(parts.live.furnish, live.create)])
    chores = (
        *_chores(parts, keys, opening, reports, rota, transfers, conversations, night, readiness, watch),
        Chore("tell of rejected webhooks", timedelta(minutes=1), rejections.tell, on_time=True),
    )
    closing = (transfers.close, parts.rest.aclose, reports.close, rate_limits.close, receipts.close)
    work = partial(_at_work, chores, clock, pause)
    router.lifespan_context = lambda _app: _life(parts, spool, opening, work(), closing, slow_hashes)
    return router


@contextlib.asynccontextmanager
async def _life(
    parts: Parts,
    spool: Spool,
    opening: "Opening",
    work: contextlib.AbstractAsyncContextManager[None],
    closing: Iterable[Callable[[], Awaitable[None]]],
    slow_hashes: SlowHashes,
) -> AsyncIterator[None]:
    """From the opening of the door to its closing. `closing`: what ends before the databases do, in this order."""
    try:
        await opening.go_on()
    except StoreUnavailable as error:
        # Whoever calls meanwhile hears words and a way on; a door that stays shut would say nothing.
        log.error("a file could not be opened: it is tried again each minute", error=type(error).__name__)
    try:
        async with work:
            yield
    finally:
        for close in closing:
            await close()
        slow_hashes.close()
        await spool.close()
        await parts.live.close()
        await parts.database.close()


def _receipts(parts: Parts, host: HostKey, slow_hashes: SlowHashes, reports: Reports) -> LiveReceipts:
    forms, seconds, home = parts.flow.forms, parts.limits.save, reports.bring_home
    return LiveReceipts(parts.database, host, parts.pin, slow_hashes, forms, seconds=seconds, bring_home=home)


def _conversations(
    parts: Parts, keys: Rings, world: World, clock: Clock, made_of: type[Conversations]
) -> Conversations:
    by_xml = parts.text_replies == "xml"
    rest, ring, limits = parts.rest, keys.texts, parts.limits
    return made_of(parts.live, parts.flow, world, rest, clock, ring, parts.number, by_xml, limits=limits)


def _readiness(
    parts: Parts, keys: Rings, reports: Reports, rota: LiveRota, breaker: Breaker, clock: Clock
) -> Readiness:
    rings = (keys.seeds, keys.tokens, keys.texts)
    return Readiness(parts.database, parts.live, parts.spool, reports, rota, breaker, rings, parts.keys, clock)


def _chores(
    parts: Parts,
    keys: Rings,
    opening: "Opening",
    reports: Reports,
    rota: LiveRota,
    transfers: Transfers,
    conversations: Conversations,
    night: Night,
    readiness: Readiness,
    watch: ClockWatch,
) -> tuple[Chore, ...]:
    clock = night.clock
    return (
        # Keys die when a whole minute begins, and not a minute later.
        Chore("sweep keys", timedelta(minutes=1), lambda: _rolled(keys, clock), on_time=True),
        Chore("tend reports", timedelta(seconds=15), lambda: reports.tend(clock.now().date())),
        Chore("night", timedelta(minutes=1), lambda: _worked(night, reports, clock, watch)),
        # Each transfer asks for it; what is known must be fresh when the database goes away.
        Chore("look at the rota", timedelta(minutes=5), lambda: rota.look(clock.now())),
        Chore(
            "end what was live",
            live.SWEPT_EVERY,
            lambda: _ended(parts.live, opening, conversations, transfers),
            on_time=True,
        ),
        # Whoever is left alone in a conference, where the phone company could not be asked at once.
        Chore("empty rooms", EMPTIED_EVERY, transfers.conferences.empty_rooms),
        # Also when whoever withdrew a report, or brought it home, ended before it could.
        Chore("wipe the database's log", timedelta(minutes=1), parts.database.forget_deleted),
        Chore("wipe the spool's log", timedelta(minutes=1), parts.spool.forget_deleted),
        Chore("see whether the line is ready", LOOKS_EVERY, readiness.look),
    )


async def _rolled(keys: Rings, clock: Clock) -> None:
    async def prepared(ring: KeyRing[bytes] | KeyRing[TokenKey]) -> None:
        ring.prepare(clock.now())

    await _each(*(partial(prepared, ring) for ring in (keys.seeds, keys.tokens, keys.texts)))


async def _ended(kept: Database, opening: "Opening", conversations: Conversations, transfers: Transfers) -> None:
    """The log is emptied first, and the files are wiped of what was deleted last: in a full folder nothing is deleted
    that the log has no room for."""
    await _each(opening.go_on, kept.limit, conversations.sweep, transfers.sweep)


async def _each(*steps: Callable[[], Awaitable[object]]) -> None:
    """Every step, whatever became of those before it. Raises what the first of those that failed raised."""
    failed: list[Exception] = []
    for step in steps:
        try:
            await step()
        except Exception as error:
            failed.append(error)
    if failed:
        raise failed[0]


async def _worked(night: Night, reports: Reports, clock: Clock, watch: ClockWatch) -> None:
    """Once a night, whoever runs the line hears that a lead has not signed in for months."""
    await watch.look()
    done = await night.work_if_due()
    if done is not None and done.waits:
        log.warning("forgetting waits for the next night: the clock has jumped, or the line was off for long")
    if done is not None and (await reports.ready(clock.now().date())).ran_out:
        log.warning("the epochs have run out: a lead must sign in")


@contextlib.asynccontextmanager
async def _at_work(chores: tuple[Chore, ...], clock: Clock, pause: Pause) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(_repeat(chore, clock, pause)) for chore in chores]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(chore: Chore, clock: Clock, pause: Pause) -> None:
    """A chore that fails is told and tried again when its time comes; it never ends the line."""
    while True:
        try:
            await chore.do()
        except Exception as error:
            log.error("a chore failed", chore=chore.name, error=type(error).__name__, where=place_of(error))
        await pause(chore.pause(clock.now()))
