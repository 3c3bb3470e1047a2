"""Transfers by chance: several callers, two workers, and events that come late, twice, at once and in another order."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection

from ivr.carrier.rest import Order, Outcome, Placed, Refused, Unclear
from ivr.kit.clock import VirtualClock
from ivr.oncall.people import Person, Tier
from ivr.services import offering
from ivr.services.offering import (
    GONE_AFTER,
    CallerLeft,
    Connecting,
    DialNow,
    ForLeg,
    Hold,
    Late,
    Meet,
    NobodyCan,
    Whisper,
    Wish,
)
from ivr.services.transfers import Transfers
from ivr.store import live
from ivr.store.rings import rings
from tests.founded import UNHURRIED, unhurried_database
from tests.promises.house import PROVE
from tests.services.test_transfers import (
    BEGAN,
    PIECE,
    RUNGS,
    SECOND,
    Duty,
    Here,
    Phones,
    person,
)

RUNS = 10_000 if PROVE > 1 else 2_000
MUTANT_RUNS = 120
PEOPLE = (*(person(name) for name in ("ana", "bo", "cy", "di")), person("eve", Tier.BACKUP), person("fay", Tier.BACKUP))
PROMISED = timedelta(seconds=50)
LATE_BY = 3
"""Seconds by which a webhook may be late here."""


@dataclass
class Leg:
    """One phone that was rung. `heard`: the last answer that it had."""

    offer: bytes
    person: Person
    uuid: str
    placed_at: int
    heard: ForLeg | None = None
    connecting_since: int | None = None
    is_over: bool = False


@dataclass
class Street:
    """Everything outside the line. Time is in seconds."""

    chance: Random
    clock: VirtualClock
    legs: list[Leg] = field(default_factory=list)
    events: list[tuple[int, int, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    second: int = 0
    met: dict[bytes, set[str]] = field(default_factory=dict)
    ended: dict[bytes, int] = field(default_factory=dict)
    engaged_when_rung: list[str] = field(default_factory=list)

    def later(self, what: Callable[[], Awaitable[None]], *, after: int, once: bool = False) -> None:
        """It happens then; its webhook may come twice, and late."""
        for _ in range(1 if once or self.chance.random() < 0.8 else 2):
            due = self.second + after + self.chance.choice((0, 0, 0, 1, 2))
            self.events.append((due, self.chance.randrange(1000), what))

    def is_talking(self, of: Person) -> bool:
        return any(
            leg.person == of and not leg.is_over and isinstance(leg.heard, Connecting | Meet) for leg in self.legs
        )


class Town(Phones):
    """A phone company whose customers do what they like."""

    def __init__(self, street: Street, workers: list[Transfers]) -> None:
        super().__init__()
        self.street = street
        self.workers = workers

    async def place(self, order: Order) -> Outcome:
        street, chance = self.street, self.street.chance
        await asyncio.sleep(0)
        who = next(one for one in PEOPLE if one.phone == order.to)
        if street.is_talking(who):
            street.engaged_when_rung.append(who.name)
        self.placed.append(order)
        fate = chance.random()
        if fate < 0.05:
            return Refused(is_about_number=True)
        if fate < 0.1:
            return Refused()
        uuid = f"{len(self.placed):08}"
        leg = Leg(bytes.fromhex(order.answer_url.rpartition("/")[2]), who, uuid, street.second)
        street.legs.append(leg)
        self._lives(leg, order.ring_seconds)
        return Unclear() if fate < 0.15 else Placed(uuid)

    def _lives(self, leg: Leg, ring_seconds: int) -> None:
        chance, street = self.street.chance, self.street
        wakes = chance.randrange(0, 26)
        if wakes >= ring_seconds or chance.random() < 0.3:
            street.later(lambda: self._over(leg, is_failing=chance.random() < 0.2), after=ring_seconds)
            return
        street.later(lambda: self._answered(leg), after=wakes)

    async def _answered(self, leg: Leg) -> None:
        if leg.is_over:
            return
        first = leg.heard is None
        leg.heard = await self._line().answered(leg.offer, leg.uuid)
        if isinstance(leg.heard, Whisper) and first:
            does = self.street.chance.choice((self._takes, self._takes, self._takes, self._passes, self._hangs_up))
            self.street.later(lambda: does(leg), after=self.street.chance.randrange(0, 15))
        elif isinstance(leg.heard, Late):
            await self._over(leg)

    async def _takes(self, leg: Leg) -> None:
        if not leg.is_over:
            self._hears(leg, await self._line().take(leg.offer, leg.uuid))

    async def _connects(self, leg: Leg) -> None:
        if not leg.is_over and isinstance(leg.heard, Connecting):
            self._hears(leg, await self._line().take(leg.offer, leg.uuid))

    def _hears(self, leg: Leg, heard: ForLeg) -> None:
        street = self.street
        leg.heard = heard
        if isinstance(heard, Connecting):
            leg.connecting_since = street.second if leg.connecting_since is None else leg.connecting_since
            assert street.second - leg.connecting_since <= GONE_AFTER.seconds + 6, (
                "nobody waits in connecting for longer"
            )
            street.later(lambda: self._connects(leg), after=2, once=True)
            if street.chance.random() < 0.05:
                street.later(lambda: self._hangs_up(leg), after=1)
        elif isinstance(heard, Meet):
            street.met.setdefault(bytes.fromhex(heard.room), set()).add(leg.person.name)
            street.later(lambda: self._hangs_up(leg), after=street.chance.randrange(5, 60))
        elif isinstance(heard, Late | CallerLeft):
            street.later(lambda: self._hangs_up(leg), after=3)

    async def _passes(self, leg: Leg) -> None:
        if not leg.is_over:
            await self._line().passed(leg.offer, leg.uuid)
            await self._over(leg)

    async def _hangs_up(self, leg: Leg) -> None:
        await self._over(leg)

    async def _over(self, leg: Leg, *, is_failing: bool = False) -> None:
        leg.is_over = True
        await self._line().leg_over(leg.offer, leg.uuid, is_failing=is_failing)

    async def cancel(self, request_uuid: str) -> bool:
        return await self._stopped(request_uuid)

    async def hang_up(self, call_uuid: str) -> bool:
        return await self._stopped(call_uuid)

    async def _stopped(self, uuid: str) -> bool:
        for leg in self.street.legs:
            if leg.uuid == uuid and not leg.is_over:
                self.street.later(lambda leg=leg: self._over(leg), after=0)  # type: ignore[misc]  # bound now
        return True

    def _line(self) -> Transfers:
        return self.street.chance.choice(self.workers)


@dataclass
class Caller:
    wish: Wish
    street: Street
    workers: list[Transfers]
    patience: int
    began: int
    is_waiting: bool = True

    async def asks(self) -> None:
        if not self.is_waiting:
            return
        if self.street.second - self.began >= self.patience:
            await self.leaves()
            return
        twice = self.street.chance.random() < 0.15
        asked = [self.street.chance.choice(self.workers).ask(self.wish) for _ in range(2 if twice else 1)]
        answers = await asyncio.gather(*asked)
        assert {type(one) for one in answers} <= {Hold, Meet, NobodyCan, DialNow}
        answer = answers[0]
        if isinstance(answer, Hold) and all(isinstance(one, Hold) for one in answers):
            self.street.later(self.asks, after=PIECE.seconds, once=True)
            return
        self.is_waiting = False
        self.street.ended[self.wish.id] = self.street.second - self.began
        if any(isinstance(one, Meet) for one in answers):
            self.street.later(self.leaves, after=self.street.chance.randrange(10, 60), once=True)

    async def leaves(self) -> None:
        self.is_waiting = False
        self.street.ended.setdefault(self.wish.id, self.street.second - self.began)
        line = self.street.chance.choice(self.workers)
        if self.street.chance.random() < 0.5:
            await line.gone([bytes(16), self.wish.caller])
        else:
            await line.leave(self.wish.id)


async def run(url: str, seed: int) -> Street:
    """One night on the street."""
    database, clock, chance = unhurried_database(url), VirtualClock(BEGAN), Random(seed)
    await database.furnish(live.create)
    await database.write(lambda found: [found.execute(table.delete()) for table in reversed(live.live.sorted_tables)])
    street, workers = Street(chance, clock), list[Transfers]()
    town = Town(street, workers)
    duty = Duty(*PEOPLE[: chance.randrange(0, len(PEOPLE) + 1)], *PEOPLE[4:])
    workers += [
        Transfers(database, duty, town, clock, ("en", "es"), Here(), live_seconds=UNHURRIED.live) for _ in range(2)
    ]
    for n in range(chance.randrange(1, 4)):
        starts = chance.randrange(0, 20)
        wish = Wish(bytes([n + 1]) * 16, bytes([n + 101]) * 16, "en", RUNGS)
        caller = Caller(wish, street, workers, chance.choice((5, 20, 200, 200, 200)), starts)
        street.later(caller.asks, after=starts, once=True)
        caller.began = street.events[-1][0]
    try:
        while street.events:
            street.second += 1
            clock.advance(SECOND)
            due = sorted((one for one in street.events if one[0] <= street.second), key=lambda one: one[:2])
            street.events = [one for one in street.events if one[0] > street.second]
            await asyncio.gather(*(what() for *_, what in due))
            for worker in workers:
                await worker.close()
        clock.advance(live.STAYS + SECOND)
        await workers[0].sweep()
        assert await database.read(lambda found: rings(found, since=0)) == []
        rows = await database.read(lambda found: found.execute(live.transfers.select()).all())
        assert rows == [], "nothing is left ten minutes later"
    finally:
        await database.close()
    return street


def nights(folder: Path, seeds: range) -> tuple[list[str], int, int]:
    """Of these nights what went wrong, how many callers were joined, and how many were told that nobody can."""
    wrong, joined, given_up = list[str](), 0, 0
    for seed in seeds:
        try:
            street = asyncio.run(run(f"sqlite:///{folder / f'live {seeds.start}.db'}", seed))
        except AssertionError as error:
            wrong.append(f"{seed}: {error}")
            continue
        wrong += [f"{seed}: {len(people)} joined one caller" for people in street.met.values() if len(people) != 1]
        wrong += [f"{seed}: {who} was rung while talking" for who in street.engaged_when_rung]
        longest = PROMISED.seconds + LATE_BY
        wrong += [f"{seed}: a caller waited {waited} s" for waited in street.ended.values() if waited > longest]
        joined += len(street.met)
        given_up += len(street.ended) - len(street.met)
    return wrong, joined, given_up


def test_by_chance_one_person_at_most_joins_a_caller_and_every_caller_has_an_end(tmp_path: Path) -> None:
    """On every core: each night is a world of its own."""
    cores = os.cpu_count() or 1
    each = -(-RUNS // cores)
    parts = [range(start, min(start + each, RUNS)) for start in range(0, RUNS, each)]
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as processes:
        told = list(processes.map(partial(nights, tmp_path), parts))
    assert [wrong for part in told for wrong in part[0]] == []
    assert sum(part[1] for part in told) > RUNS / 4
    assert sum(part[2] for part in told) > RUNS / 8


def test_mutant_a_claim_that_does_not_look_whether_the_call_is_taken_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = offering.taken

    def careless(connection: Connection, offer: bytes, leg: str, now: datetime) -> tuple[ForLeg, list[live.OfferRow]]:
        row = live.offer(connection, offer)
        if row is None or not live.change_offer(connection, offer, if_in=("answered",), state="taken"):
            return whole(connection, offer, leg, now)
        at = live.milliseconds(now)
        live.change_transfer(
            connection, row.transfer, if_in=("ringing", "taken"), state="taken", taken_by=offer, taken_at=at
        )
        return Connecting(), []

    monkeypatch.setattr(offering, "taken", careless)
    seen = []
    for seed in range(MUTANT_RUNS):
        with suppress(AssertionError):  # whatever else goes wrong then
            met = asyncio.run(run(f"sqlite:///{tmp_path / f'{seed}.db'}", seed)).met
            seen += [people for people in met.values() if len(people) > 1]
        if seen:
            return
    raise AssertionError("nobody saw it")
