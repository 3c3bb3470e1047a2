"""Whoever only wants to block the line: by signed webhooks, what they can still do, and what a caller notices of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ivr.carrier.party import Party
from ivr.carrier.phones import NeverAnswers
from ivr.carrier.rest_api import refuses
from ivr.flow.line import HOLDING
from ivr.oncall import ring_limits
from ivr.oncall.ring_limits import FREE_RINGS, PERIOD, SAME_PHONE_AFTER, RingLimits
from ivr.services import ring_state
from tests.transfers.judging import HOLD_PIECE, conversations
from tests.transfers.people import BACKUP, LOLA, NAMES, NUMBERS, OUTCOMES, ROSA
from tests.transfers.town import RING_ALL, Told, Town, town

THREE = ("ana", "bo", "cy")
THIRD = "+12125550102"
PAUSED, BUSY, SILENT = (HOLDING[why] for why in ("paused", "busy", "silent"))


def told(folder: Path, blank: Path, story: Callable[[Town], Awaitable[None]]) -> None:
    async def main() -> None:
        async with town(folder / "line", blank) as of:
            for number in NUMBERS.values():
                of.exchange.phone(number, NeverAnswers())
            await story(of)

    asyncio.run(main())


def rung(of: Town) -> list[str]:
    return [NAMES[leg.number] for leg in of.rung()]


def heard(of: Town, party: Party) -> Iterator[tuple[Told, str]]:
    """Each sentence that this caller was told, in its order."""
    for one in of.ear.told:
        if one.fields["CallUUID"] == party.uuid and one.turn is not None:
            yield from ((one, said.prompt) for said in one.turn.said)


def said_to(of: Town, party: Party) -> set[str]:
    return {prompt for _, prompt in heard(of, party)}


def times(of: Town, name: str) -> list[datetime]:
    return [leg.asked_at for leg in of.rung() if leg.number == NUMBERS[name]]


async def silent_call(of: Town, number: str) -> Party:
    """Somebody who presses nothing, until silence has led them to a person."""
    party = await of.exchange.call(number)
    await of.exchange.until(lambda: "line.silence_person" in said_to(of, party), at_most=200)
    return party


async def alternates(of: Town, party: Party, pairs: int, *, every: float) -> None:
    """They press 1 for something else, and 0 again."""
    for _ in range(pairs):
        for key in ("1", "0"):
            await party.press(key)
            await of.exchange.run(every)


# ---- what whoever blocks the line can do ----


def alternating(folder: Path, blank: Path) -> tuple[list[str], list[timedelta], list[str]]:
    """Thirty times 1 and 0 in three seconds: who was rung; then two minutes more of it: the shortest time between two
    rings of each phone. And what was said to the caller behind each 0."""
    found: list[str] = []
    gaps: list[timedelta] = []
    words: list[str] = []

    async def story(of: Town) -> None:
        await of.on_duty(*THREE)
        rosa = await of.calls()
        await alternates(of, rosa, 30, every=0.05)
        found.extend(rung(of))
        for _ in range(60):
            await alternates(of, rosa, 1, every=1)
        gaps.extend(min(b - a for a, b in pairwise(times(of, name))) for name in THREE if len(times(of, name)) > 1)
        asked = [one for one in of.ear.told if one.fields.get("Digits") == "0" and one.turn is not None]
        assert len(asked) > 60
        words.extend(one.turn.said[0].prompt for one in asked if one.turn is not None)

    told(folder, blank, story)
    return found, gaps, words


def test_thirty_times_zero_and_one_in_three_seconds_ring_each_phone_once_and_then_none_twice_a_minute(
    tmp_path: Path, blank: Path
) -> None:
    found, gaps, words = alternating(tmp_path, blank)
    assert sorted(found) == sorted(THREE)
    assert gaps, "phones ring again, after a pause"
    assert min(gaps) >= SAME_PHONE_AFTER
    assert PAUSED in words
    assert set(words) <= {"line.transfer", *HOLDING.values()}, "and the caller hears words behind every 0"


def test_mutant_a_line_without_limits_rings_as_often_as_it_is_asked_to(
    tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RingLimits, "may_ring", lambda *_: True)
    monkeypatch.setattr(ring_state, "rings_from", lambda *_, now, **__: now)
    found, gaps, _ = alternating(tmp_path, blank)
    assert len(found) > 3 * len(THREE)
    assert min(gaps) < SAME_PHONE_AFTER


def test_two_silent_calls_leave_a_phone_for_a_third_caller_which_rings_at_once(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty(*THREE)
        one = await of.exchange.call(ROSA)
        await of.exchange.run(3)
        other = await of.exchange.call(LOLA)
        both = {"line.silence_person"}
        await of.exchange.until(lambda: both <= said_to(of, one) and both <= said_to(of, other), at_most=200)
        before = len(of.rung())
        assert 0 < before < len(THREE), "somebody may be hurt: phones ring for the silent, but not all"
        await of.calls(THIRD)
        assert len(of.rung()) == before + 1
        assert of.rung()[-1].asked_at == of.clock.now()

    told(tmp_path, blank, story)


def test_mutant_a_line_that_keeps_no_phone_free_is_seen(
    tmp_path: Path, blank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RingLimits, "_leaves_one", lambda *_: False)
    with pytest.raises(AssertionError):
        test_two_silent_calls_leave_a_phone_for_a_third_caller_which_rings_at_once(tmp_path, blank)


def test_calls_that_hang_up_at_once_use_up_neither_the_phones_nor_what_is_left_for_who_waits(
    tmp_path: Path, blank: Path
) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana")
        for n in range(40):
            party = await of.calls(f"+1212555{1000 + n}")
            await of.exchange.run(1)
            await party.hang_up()
        assert len(times(of, "ana")) == FREE_RINGS
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes"])
        rosa = await of.calls()
        for n in range(10):  # and they go on
            party = await of.calls(f"+1212555{2000 + n}")
            await of.exchange.run(4)
            await party.hang_up()
        await of.exchange.run(5)
        assert BUSY in said_to(of, rosa), "the caller who waits hears honest words"
        assert conversations(of, rosa) == ["ana"]

    told(tmp_path, blank, story)


def test_no_phone_rings_more_often_than_the_budget_whoever_calls(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana")
        for n in range(40):
            party = await of.calls(f"+1212555{1000 + n}")
            await of.exchange.run(12 + n % 6)
            await party.hang_up()
        rings = times(of, "ana")
        most = max(sum(timedelta() <= at - since < PERIOD for at in rings) for since in rings)
        assert FREE_RINGS < most <= FREE_RINGS + PERIOD // SAME_PHONE_AFTER
        assert len(rings) < 40

    told(tmp_path, blank, story)


def test_where_the_phone_company_dials_itself_no_phone_rings_twice_a_minute_either(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        of.exchange.rest.fails(refuses(500))
        await of.on_duty("ana")
        rosa = await of.calls()
        for _ in range(100):
            await of.exchange.run(3)
            await rosa.press("*" if rosa.state != "listening" else "0")
        assert len(times(of, "ana")) > 1
        assert min(b - a for a, b in pairwise(times(of, "ana"))) >= SAME_PHONE_AFTER

    told(tmp_path, blank, story)


# ---- what callers notice ----


@pytest.mark.parametrize("language", ["en", "es"])
def test_whoever_presses_0_once_and_waits_notices_nothing(language: str, tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty(*THREE, "gil", *BACKUP)
        began_at = of.clock.now()
        rosa = await of.calls(language=language)
        await of.exchange.until(lambda: "nobody_free" in said_to(of, rosa), at_most=120)
        assert sorted(rung(of)) == sorted((*THREE, "gil", *BACKUP)), "every wave rings, without another key"
        assert not said_to(of, rosa) & {PAUSED, BUSY, SILENT}
        assert of.clock.now() - began_at <= RING_ALL + timedelta(seconds=HOLD_PIECE)

    told(tmp_path, blank, story)


def test_a_silent_caller_is_asked_for_a_key_before_a_second_wave_and_waits_to_the_promised_end_without(
    tmp_path: Path, blank: Path
) -> None:
    async def story(of: Town) -> None:
        await of.on_duty(*THREE, "gil", *BACKUP)
        rosa = await silent_call(of, ROSA)
        asked_at = of.clock.now()
        await of.exchange.until(lambda: "nobody_free" in said_to(of, rosa), at_most=120)
        assert sorted(rung(of)) == sorted(THREE)
        assert SILENT in said_to(of, rosa)
        assert timedelta(seconds=30) < of.clock.now() - asked_at <= RING_ALL
        pieces = [one.at for one, prompt in heard(of, rosa) if prompt in {"line.transfer", *HOLDING.values()}]
        assert max(b - a for a, b in pairwise(pieces)) <= timedelta(seconds=HOLD_PIECE), "never silence"

    told(tmp_path, blank, story)


@pytest.mark.parametrize("key", ["0", "7", "#"])
def test_any_key_rings_the_next_phones_for_whoever_was_silent(key: str, tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty(*THREE, "gil", *BACKUP)
        rosa = await silent_call(of, ROSA)
        await of.exchange.until(lambda: SILENT in said_to(of, rosa), at_most=60)
        await rosa.press(key)
        await of.exchange.run(0.5)
        assert sorted(rung(of)) == sorted((*THREE, "gil", *BACKUP))

    told(tmp_path, blank, story)


def test_on_a_small_line_a_silent_caller_reaches_the_backup_too(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana", *BACKUP)
        of.exchange.phone(NUMBERS["dee"], OUTCOMES["takes"])
        rosa = await silent_call(of, ROSA)
        await of.exchange.run(45)
        assert conversations(of, rosa) == ["dee"]

    told(tmp_path, blank, story)


def test_whoever_tries_again_hears_when_and_is_connected(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana")
        rosa = await of.calls()
        await of.exchange.until(lambda: "nobody_free" in said_to(of, rosa), at_most=120)
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes"])
        await rosa.press("0")
        await of.exchange.run(1)
        assert PAUSED in said_to(of, rosa)
        await of.exchange.run(60)
        assert conversations(of, rosa) == ["ana"]

    told(tmp_path, blank, story)


def test_a_pause_can_be_left_for_something_else(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana")
        rosa = await of.calls()
        await alternates(of, rosa, 1, every=1)
        assert PAUSED in said_to(of, rosa)
        await rosa.press("1")
        await of.exchange.run(0.5)
        last = [one.turn for one, _ in heard(of, rosa)][-1]
        assert last is not None
        assert last.call.step.startswith("bad_date")
        assert rung(of) == ["ana"]

    told(tmp_path, blank, story)


def test_the_limits_remember_no_longer_than_live_rows_are_kept() -> None:
    from ivr.store import live

    assert live.STAYS - live.SWEPT_EVERY > ring_limits.PERIOD
