"""Warm transfers, without a phone: whoever asks, answers, takes, passes, hangs up, late and twice."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ivr.carrier.rest import Order, Outcome, Placed, Refused, Unclear
from ivr.kit.clock import VirtualClock
from ivr.oncall.ladder import RINGS_FOR, Rung, Waiting
from ivr.oncall.people import Person, PersonId, Tier
from ivr.oncall.ring_limits import PERIOD
from ivr.services.offering import (
    GONE_AFTER,
    CallerLeft,
    Connecting,
    DialNow,
    Hold,
    Late,
    Meet,
    NobodyCan,
    Reserved,
    Whisper,
    Wish,
)
from ivr.services.rota import LiveRota
from ivr.services.transfers import Transfers
from ivr.store import live
from ivr.store.database import Database
from ivr.store.rings import rings
from tests.founded import UNHURRIED, unhurried_database
from tests.store.databases import KINDS, database_of

BEGAN = datetime(2027, 3, 10, 2, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PIECE = timedelta(seconds=6)
"""How long a hold piece lasts."""


def person(name: str, tier: Tier = Tier.ON_CALL, *languages: str) -> Person:
    number = f"+1212555{int.from_bytes(name.encode()) % 9973:04}"
    return Person(PersonId(name.encode()), name, number, languages or ("en",), tier, "UTC")


ANA, BO, CY, DI = (person(name) for name in ("ana", "bo", "cy", "di"))
EVE = person("eve", Tier.BACKUP)
RUNGS = (Rung(Tier.ON_CALL, 25 * SECOND), Rung(Tier.BACKUP, 25 * SECOND))


class Duty(LiveRota):
    """A rota that says what it is told to."""

    def __init__(self, *people: Person) -> None:
        self.people = people
        self.failing: dict[bytes, bool] = {}

    async def on_duty(self, at: datetime) -> tuple[Person, ...]:
        return self.people

    async def reached(self, person: bytes, *, is_failing: bool) -> None:
        self.failing[person] = is_failing


@dataclass
class Phones:
    """A phone company: what it was asked, and what it says to each number."""

    says: dict[str, Outcome] = field(default_factory=dict)
    placed: list[Order] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)

    async def place(self, order: Order) -> Outcome:
        self.placed.append(order)
        return self.says.get(order.to, Placed(f"{len(self.placed):08}"))

    async def cancel(self, request_uuid: str) -> bool:
        self.cancelled.append(request_uuid)
        return True

    async def hang_up(self, call_uuid: str) -> bool:
        self.hung_up.append(call_uuid)
        return True

    async def empty(self, room: str) -> bool:
        self.emptied.append(room)
        return True

    async def aclose(self) -> None:
        pass


class Here:
    def offered(self, offer: str) -> str:
        return f"https://line.example.org/offered/{offer}"

    def offer_over(self, offer: str) -> str:
        return f"https://line.example.org/over/{offer}"


@dataclass
class Scene:
    """One line at one moment, with two workers."""

    phones: Phones
    duty: Duty
    clock: VirtualClock
    database: Database
    workers: list[Transfers]

    @property
    def line(self) -> Transfers:
        """Each time the other worker."""
        self.workers.reverse()
        return self.workers[0]

    def rung(self) -> list[str]:
        names = {one.phone: one.name for one in self.duty.people}
        return [names[order.to] for order in self.phones.placed]


def wish(n: int = 1, language: str = "en") -> Wish:
    return Wish(bytes([n]) * 16, bytes([n + 100]) * 16, language, RUNGS)


def offer(to: Person, of: Wish) -> bytes:
    return Reserved.of(of.id, to, BEGAN).id


def leg(of: Person) -> str:
    return f"{of.name.encode().hex():0>8}"


def play(
    folder: Path, story: Callable[[Scene], Coroutine[Any, Any, None]], *people: Person, kind: str = "sqlite"
) -> None:
    async def main(url: str) -> None:
        database = unhurried_database(url)
        await database.furnish(live.create)
        phones, duty, clock = Phones(), Duty(*people), VirtualClock(BEGAN)
        workers = [
            Transfers(database, duty, phones, clock, ("en", "es"), Here(), live_seconds=UNHURRIED.live)
            for _ in range(2)
        ]
        try:
            await story(Scene(phones, duty, clock, database, workers))
        finally:
            for worker in workers:
                await worker.close()
            await database.close()

    with database_of(kind, folder) as url:
        asyncio.run(main(url))


@pytest.mark.parametrize("kind", KINDS)
def test_somebody_takes_the_call_and_the_others_stop_ringing(tmp_path: Path, kind: str) -> None:
    async def story(scene: Scene) -> None:
        rosa = wish()
        assert isinstance(await scene.line.ask(rosa), Hold)
        assert scene.rung() == ["ana", "bo", "cy"]
        scene.clock.advance(4 * SECOND)
        assert await scene.line.answered(offer(BO, rosa), leg(BO)) == Whisper("en")
        assert await scene.line.answered(offer(CY, rosa), leg(CY)) == Whisper("en")
        assert await scene.line.take(offer(BO, rosa), leg(BO)) == Connecting()
        assert await scene.line.take(offer(BO, rosa), leg(BO)) == Connecting()
        assert await scene.line.take(offer(CY, rosa), leg(CY)) == Late()
        assert await scene.line.answered(offer(ANA, rosa), leg(ANA)) == Late()
        for worker in scene.workers:
            await worker.close()
        assert scene.phones.cancelled == ["00000001"], "ana's phone rang"
        assert scene.phones.hung_up == [leg(CY)], "cy listened"
        meeting = await scene.line.ask(rosa)
        assert isinstance(meeting, Meet)
        assert await scene.line.take(offer(BO, rosa), leg(BO)) == meeting
        assert await scene.line.ask(rosa) == meeting, "a doubled asking"
        assert scene.rung() == ["ana", "bo", "cy"], "nobody is rung twice"

    play(tmp_path, story, ANA, BO, CY, DI, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_of_all_who_press_one_at_once_exactly_one_has_the_call(tmp_path: Path, kind: str) -> None:
    async def story(scene: Scene) -> None:
        for n in range(8):
            scene.clock.advance(PERIOD)
            rosa = wish(n)
            await scene.line.ask(rosa)
            for one in (ANA, BO, CY):
                await scene.line.answered(offer(one, rosa), leg(one))
            presses = [scene.line.take(offer(one, rosa), leg(one)) for one in (ANA, BO, CY, ANA, CY, BO)]
            heard = await asyncio.gather(*presses)
            assert len([one for one in heard[:3] if one == Connecting()]) == 1
            assert heard.count(Connecting()) == 2, "she who has it presses twice and keeps it"
            for one in (ANA, BO, CY):
                await scene.line.leg_over(offer(one, rosa), leg(one), is_failing=False)
            await scene.line.gone([rosa.caller])

    play(tmp_path, story, ANA, BO, CY, kind=kind)


def test_a_pass_a_silence_and_a_dead_number_ring_the_next_at_once(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        rosa = wish()
        scene.phones.says[ANA.phone] = Refused(is_about_number=True)
        assert isinstance(await scene.line.ask(rosa), Hold)
        assert scene.rung() == ["ana", "bo", "cy", "di"], "a number that cannot be called is skipped at once"
        assert scene.duty.failing == {ANA.id: True}
        await scene.line.answered(offer(BO, rosa), leg(BO))
        await scene.line.passed(offer(BO, rosa), leg(BO))
        await scene.line.leg_over(offer(CY, rosa), leg(CY), is_failing=False)
        await scene.line.leg_over(offer(DI, rosa), leg(DI), is_failing=True)
        assert scene.duty.failing == {ANA.id: True, BO.id: False, CY.id: False, DI.id: True}
        scene.clock.advance(PIECE)
        assert isinstance(await scene.line.ask(rosa), Hold)
        assert scene.rung()[-1] == "eve"
        await scene.line.answered(offer(EVE, rosa), leg(EVE))
        await scene.line.leg_over(offer(EVE, rosa), leg(EVE), is_failing=False)
        assert await scene.line.ask(rosa) == NobodyCan()
        assert await scene.line.ask(rosa) == NobodyCan()

    play(tmp_path, story, ANA, BO, CY, DI, EVE)


@pytest.mark.parametrize("asleep", [(), (ANA,), (ANA, EVE), (ANA, BO, CY, DI, EVE)])
def test_the_promised_wait_is_kept_when_everybody_sleeps(tmp_path: Path, asleep: tuple[Person, ...]) -> None:
    async def story(scene: Scene) -> None:
        rosa = wish()
        while isinstance(await scene.line.ask(rosa), Hold):
            scene.clock.advance(SECOND)
        assert scene.clock.now() <= BEGAN + 50 * SECOND
        assert len(scene.rung()) == len(set(scene.rung()))

    play(tmp_path, story, *asleep)


def test_a_caller_who_is_gone_is_not_handed_to_anybody(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        rosa = wish()
        await scene.line.ask(rosa)
        await scene.line.answered(offer(BO, rosa), leg(BO))
        scene.clock.advance(GONE_AFTER + SECOND)
        assert await scene.line.take(offer(BO, rosa), leg(BO)) == CallerLeft()
        await scene.workers[0].close()
        await scene.workers[1].close()
        assert len(scene.phones.cancelled) == 2
        hung_up = wish(2)
        await scene.line.leg_over(offer(BO, rosa), leg(BO), is_failing=False)
        await scene.line.ask(hung_up)
        await scene.line.answered(offer(BO, hung_up), leg(BO))
        await scene.line.gone([bytes(16), hung_up.caller])
        assert await scene.line.take(offer(BO, hung_up), leg(BO)) == CallerLeft()

    play(tmp_path, story, ANA, BO, CY)


def test_nobody_is_asked_to_take_the_call_of_a_caller_who_has_gone_without_a_word(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        rosa = wish()
        await scene.line.ask(rosa)
        scene.clock.advance(GONE_AFTER + SECOND)
        line = scene.line
        assert await line.answered(offer(ANA, rosa), leg(ANA)) == CallerLeft()
        await line.close()
        assert len(scene.phones.cancelled) == 1
        assert await scene.line.take(offer(ANA, rosa), leg(ANA)) == CallerLeft()
        assert isinstance(await scene.line.ask(rosa), NobodyCan), "she comes back, and may wish again"

    play(tmp_path, story, ANA, BO)


def test_an_advocate_waits_fifteen_seconds_at_most_for_a_caller_who_does_not_come(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        rosa = wish()
        await scene.line.ask(rosa)
        await scene.line.answered(offer(BO, rosa), leg(BO))
        await scene.line.take(offer(BO, rosa), leg(BO))
        waited = timedelta()
        while await scene.line.take(offer(BO, rosa), leg(BO)) == Connecting():
            scene.clock.advance(2 * SECOND)
            waited += 2 * SECOND
        assert GONE_AFTER <= waited <= GONE_AFTER + 2 * SECOND
        assert await scene.line.ask(rosa) == NobodyCan()

    play(tmp_path, story, BO)


def test_an_advocate_who_hangs_up_before_they_meet_costs_the_caller_nothing_but_time(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        rosa = wish()
        await scene.line.ask(rosa)
        await scene.line.answered(offer(BO, rosa), leg(BO))
        await scene.line.take(offer(BO, rosa), leg(BO))
        await scene.line.leg_over(offer(BO, rosa), leg(BO), is_failing=False)
        assert isinstance(await scene.line.ask(rosa), Hold)
        assert scene.rung() == ["bo", "eve"]

    play(tmp_path, story, BO, EVE)


@pytest.mark.parametrize("kind", KINDS)
def test_two_callers_at_once_never_ring_one_phone(tmp_path: Path, kind: str) -> None:
    async def story(scene: Scene) -> None:
        rosa, luz = wish(1), wish(2)
        both = await asyncio.gather(scene.line.ask(rosa), scene.line.ask(luz))
        assert all(isinstance(one, Hold) for one in both)
        assert sorted(scene.rung()) == ["ana", "bo", "cy", "di"]
        third = wish(3)
        assert isinstance(await scene.line.ask(third), Hold), "one of those may come free"
        assert sorted(scene.rung()) == ["ana", "bo", "cy", "di"]
        await scene.line.leave(rosa.id)
        await scene.line.leave(luz.id)
        assert isinstance(await scene.line.ask(wish(4)), Hold)

    play(tmp_path, story, ANA, BO, CY, DI, kind=kind)


def test_a_phone_nobody_told_about_can_be_rung_again_for_others(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.phones.says[BO.phone] = Unclear()
        await scene.line.ask(wish(1))
        assert isinstance(await scene.line.ask(wish(2)), Hold)
        assert scene.rung() == ["bo"]
        scene.clock.advance(RINGS_FOR + 31 * SECOND)
        assert isinstance(await scene.line.ask(wish(3)), Hold)
        assert scene.rung() == ["bo", "bo"]

    play(tmp_path, story, BO)


def test_where_the_phone_company_refuses_she_is_dialled_through_in_the_same_breath(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.phones.says = {one.phone: Refused() for one in (ANA, BO, EVE)}
        assert await scene.line.ask(wish(1)) == DialNow((ANA, BO))
        assert await scene.workers[0].ask(wish(2)) == DialNow((ANA, BO))
        asked = len(scene.phones.placed)
        for n in range(3, 8):
            for worker in scene.workers:
                assert isinstance(await worker.ask(wish(n)), DialNow | NobodyCan)
        assert len(scene.phones.placed) <= asked + 4, "an interface that refuses is left alone"
        scene.clock.advance(timedelta(minutes=1))
        scene.phones.says = {}
        assert isinstance(await scene.workers[0].ask(wish(20)), Hold)

    play(tmp_path, story, ANA, BO, EVE)


def test_a_request_without_an_answer_may_ring_and_nothing_else_rings_that_phone(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        scene.phones.says = {ANA.phone: Unclear(), BO.phone: Refused(), CY.phone: Refused()}
        rosa = wish()
        assert isinstance(await scene.line.ask(rosa), Hold)
        assert await scene.line.answered(offer(ANA, rosa), leg(ANA)) == Whisper("en")
        assert scene.rung().count("ana") == 1

    play(tmp_path, story, ANA, BO, CY)


def test_another_leg_than_the_one_that_answered_is_nobody(tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        rosa = wish()
        await scene.line.ask(rosa)
        assert await scene.line.take(offer(BO, rosa), leg(BO)) == Late(), "she has not answered"
        await scene.line.answered(offer(BO, rosa), leg(BO))
        stranger = "ffffffff"
        assert await scene.line.answered(offer(BO, rosa), stranger) == Late()
        assert await scene.line.take(offer(BO, rosa), stranger) == Late()
        await scene.line.passed(offer(BO, rosa), stranger)
        await scene.line.leg_over(offer(BO, rosa), stranger, is_failing=True)
        assert await scene.line.take(offer(BO, rosa), leg(BO)) == Connecting()
        assert await scene.line.take(offer(BO, rosa), stranger) == Late()
        assert await scene.line.answered(bytes(16), leg(BO)) == Late()

    play(tmp_path, story, BO)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_gone_ten_minutes_after_their_end_and_a_talk_that_goes_on_is_not(tmp_path: Path, kind: str) -> None:
    async def story(scene: Scene) -> None:
        talking, gave_up, lost = wish(1), wish(2), wish(3)
        await scene.line.ask(talking)
        await scene.line.answered(offer(BO, talking), leg(BO))
        await scene.line.take(offer(BO, talking), leg(BO))
        await scene.line.ask(talking)
        assert await scene.line.ask(gave_up) == NobodyCan()
        scene.duty.people = (BO, CY)
        await scene.line.ask(lost)

        async def left() -> int:
            await scene.line.sweep()
            return await scene.database.write(
                lambda found: sum(live.transfer(found, one.id) is not None for one in (talking, gave_up, lost))
            )

        # Whatever is not due now would be late at the next sweep.
        scene.clock.advance(live.STAYS - live.SWEPT_EVERY)
        assert await left() == 3
        scene.clock.advance(SECOND)
        assert await left() == 1
        await scene.line.leg_over(offer(BO, talking), leg(BO), is_failing=False)
        scene.clock.advance(live.STAYS + SECOND)
        assert await left() == 0
        assert await scene.database.read(lambda found: rings(found, since=0)) == []

    play(tmp_path, story, BO, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_silent_callers_at_two_workers_at_once_leave_a_phone_that_rings_for_whoever_asks_first(
    tmp_path: Path, kind: str
) -> None:
    async def story(scene: Scene) -> None:
        silent = [replace(wish(n), is_silent=True) for n in range(1, 5)]
        await asyncio.gather(*(scene.line.ask(one) for one in silent))
        assert len(scene.rung()) == 3
        assert len(set(scene.rung())) == 3
        held = await scene.line.ask(wish(9))
        assert isinstance(held, Hold)
        assert held.why is Waiting.RINGING
        assert len(set(scene.rung())) == 4

    play(tmp_path, story, ANA, BO, CY, DI, kind=kind)
