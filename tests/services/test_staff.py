"""Those who answer callers, on the line's own data: PINs, shifts, and webhooks that come twice."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from ivr.engine.asks import Answer, Ask, AskShift, NextIs, ShiftIs, SignedIn, SignIn, Unknown
from ivr.engine.call import SEED_BYTES, Call, begin
from ivr.flow.line import OUTCOMES
from ivr.kit.clock import VirtualClock
from ivr.oncall.people import PersonId, Tier
from ivr.oncall.rota import Shift
from ivr.services import pins
from ivr.services import rota as rotas
from ivr.services.duty import LiveDuty
from ivr.services.outcomes import Outcome, count_outcome
from ivr.services.rate_limit import RateLimits
from ivr.services.staff import StaffWorld
from ivr.services.telling import Envelopes
from ivr.services.town import Roster
from ivr.services.transfers import Transfers
from ivr.store.database import Database
from ivr.vault.host import HostKey
from ivr.vault.tokens import token_keys
from tests.founded import SECRET, UNHURRIED
from tests.services.test_transfers import Here, Phones
from tests.shipped import staff
from tests.store.databases import KINDS
from tests.store.test_live import with_database

NOW = datetime(2027, 3, 10, 22, 0, tzinfo=UTC)  # 17:00 in New York
HOST = HostKey.of(SECRET)
BURST = pins.PINS.burst
Story = Callable[["Desk"], Awaitable[None]]


class Desk:
    """A world, and Ana, who is on from nine to ten in the evening, UTC: she has an hour and a PIN."""

    def __init__(self, world: StaffWorld, clock: VirtualClock, ana: PersonId, pin: str) -> None:
        self.world, self.clock, self.ana, self.pin = world, clock, ana, pin

    async def asks(self, ask: Ask, *, about: bytes = b"", turn: int = 1, tries: int = 0) -> Answer:
        call: Call = begin(staff(), seed=bytes(SEED_BYTES), at=NOW)
        return await self.world.answer(ask, replace(call, about=about, turn=turn, tries=tries), b"a leg")

    async def wishes(self, what: str, told: int, *, turn: int) -> ShiftIs:
        answer = await self.asks(AskShift(what, told), about=self.ana, turn=turn)
        assert isinstance(answer, ShiftIs)
        return answer


def played(tmp_path: Path, kind: str, story: Story) -> None:
    async def main(database: Database) -> None:
        await database.migrate()
        clock = VirtualClock(NOW - timedelta(minutes=30))
        ana = await rotas.add_person(
            database, HOST, name="ana", phone="+12125550143", languages=("es",), tier=Tier.ON_CALL, zone="UTC"
        )
        await rotas.add_shifts(database, [("ana", Shift(b"", ana.id, date(2027, 3, 10), time(21), time(22), "UTC"))])
        pin = await pins.new_pin(database, HOST, "ana")
        envelopes = Envelopes(token_keys(tmp_path / "keys"), clock)
        roster = Roster((ana,))
        transfers = Transfers(database, roster, Phones(), clock, ("en", "es"), Here(), live_seconds=UNHURRIED.live)
        limits = RateLimits(database, UNHURRIED.rate_limit)
        desk, count = LiveDuty(database, HOST, UNHURRIED), partial(count_outcome, database)
        world = StaffWorld(transfers, roster, desk, count, envelopes, clock, staff(), limits)
        await story(Desk(world, clock, ana.id, pin))
        await limits.close()

    with_database(tmp_path, main, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pin_says_who_she_is_in_her_language_and_how_she_stands(tmp_path: Path, kind: str) -> None:
    async def story(desk: Desk) -> None:
        signed_in = await desk.asks(SignIn(desk.pin))
        assert isinstance(signed_in, SignedIn)
        assert (signed_in.who, signed_in.language) == (desk.ana, "es")
        assert signed_in.shift.is_on
        assert signed_in.shift.told == int(NOW.timestamp())
        assert await desk.asks(SignIn("00000000")) == Unknown()

    played(tmp_path, kind, story)


def test_a_wish_that_comes_twice_is_one_wish(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        until = int(NOW.timestamp())
        hour = int((NOW + timedelta(hours=1)).timestamp())
        assert [(await desk.wishes("hour", until, turn=2)).told for _ in range(2)] == [hour, hour]
        assert [(await desk.wishes("switch", hour, turn=3)).is_on for _ in range(2)] == [False, False]
        assert [(await desk.wishes("switch", -1, turn=4)).is_on for _ in range(2)] == [True, True]
        assert (await desk.wishes("switch", hour, turn=3)).is_on, "it comes late, and undoes nothing newer"
        assert await desk.asks(AskShift("next", 0), about=desk.ana) == NextIs()

    played(tmp_path, "sqlite", story)


def test_after_twenty_wrong_pins_none_is_looked_at_for_three_minutes(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        for turn in range(BURST):
            assert await desk.asks(SignIn("12345678"), turn=turn) == Unknown()
        assert await desk.asks(SignIn(desk.pin), turn=100) == Unknown(is_closed=True)
        desk.clock.advance(timedelta(minutes=3))
        assert isinstance(await desk.asks(SignIn(desk.pin), turn=100), SignedIn)

    played(tmp_path, "sqlite", story)


def test_whoever_guesses_again_and_again_in_a_call_keeps_nobody_out_who_calls(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        guessed = [await desk.asks(SignIn("12345678"), turn=turn, tries=1) for turn in range(30)]
        assert guessed == [Unknown()] * 10 + [Unknown(is_closed=True)] * 20
        assert isinstance(await desk.asks(SignIn(desk.pin), turn=100), SignedIn)

    played(tmp_path, "sqlite", story)


def test_a_guess_that_comes_twice_is_one(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        assert {await desk.asks(SignIn("12345678"), turn=3) for _ in range(2 * BURST)} == {Unknown()}
        assert isinstance(await desk.asks(SignIn(desk.pin), turn=4), SignedIn)

    played(tmp_path, "sqlite", story)


def test_guesses_at_one_moment_are_no_more_than_guesses_one_after_the_other(tmp_path: Path) -> None:
    looked: list[str] = []

    async def story(desk: Desk) -> None:
        whole = desk.world.desk.by_pin

        async def slowly(pin: str) -> PersonId | None:
            looked.append(pin)
            await asyncio.sleep(0)
            return await whole(pin)

        desk.world.desk.by_pin = slowly  # type: ignore[method-assign]
        guessed = (desk.asks(SignIn(f"{10_000_000 + n}"), turn=n) for n in range(3 * BURST))
        answers = await asyncio.gather(*guessed)
        assert Unknown(is_closed=True) in answers

    played(tmp_path, "sqlite", story)
    assert len(looked) == BURST


def test_right_pins_use_nothing_up(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        for turn in range(2 * BURST):
            assert isinstance(await desk.asks(SignIn(desk.pin), turn=turn), SignedIn)

    played(tmp_path, "sqlite", story)


def test_a_flow_counts_what_the_service_can_count() -> None:
    assert set(OUTCOMES) == {one.value for one in Outcome} - {Outcome.UNTOLD}
