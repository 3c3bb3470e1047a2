"""Whichever way one of the two leaves the conference, the other is taken out of it at once; where the phone company
cannot be asked they hear words and a way on, and are taken out once it can."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ivr.carrier.conferences import Room, RoomRules
from ivr.carrier.party import Party
from ivr.services.conferences import EMPTIED_EVERY
from tests.shipped import text
from tests.transfers.judging import ALONE_PIECE, LEFT_ALONE, judged, silence
from tests.transfers.people import NUMBERS, OUTCOMES, RULES, Cell
from tests.transfers.town import Town, town

KICK = "/Kick/"
TALKS = 30.0


@dataclass(frozen=True, slots=True)
class Met:
    """Two who talk."""

    rosa: Party
    ana: Party
    room: Room


Way = Callable[[Town, Met], Awaitable[object]]


async def _meet(of: Town) -> Met:
    await of.on_duty("ana")
    of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes"])
    rosa = await of.calls()
    await of.exchange.until(lambda: any(len(room.members) == 2 for room in of.exchange.conferences.values()))
    [room] = of.exchange.conferences.values()
    await of.exchange.run(TALKS)
    return Met(rosa, of.exchange.leg(NUMBERS["ana"]), room)


async def rosa_hangs_up(_of: Town, met: Met) -> None:
    await met.rosa.hang_up()


async def ana_hangs_up(_of: Town, met: Met) -> None:
    await met.ana.hang_up()


async def rosa_presses_star(_of: Town, met: Met) -> None:
    await met.rosa.press("*")


async def ana_presses_star(_of: Town, met: Met) -> None:
    await met.ana.press("*")


async def rosas_hang_up_is_not_told(of: Town, met: Met) -> None:
    of.ear.loses = lambda url, _fields: "/voice/hangup" in url
    await met.rosa.hang_up()


async def rosas_exit_is_not_told(of: Town, met: Met) -> None:
    of.ear.loses = lambda _url, fields: fields["Event"] == "ConferenceExit"
    await met.rosa.hang_up()


async def anas_hang_up_is_not_told(of: Town, met: Met) -> None:
    of.ear.loses = lambda url, _fields: "/staff/over/" in url
    await met.ana.hang_up()


async def anas_exit_is_not_told(of: Town, met: Met) -> None:
    of.ear.loses = lambda url, _fields: "/staff/entered/" in url
    await met.ana.press("*")


WAYS: Mapping[str, Way] = {
    way.__name__: way
    for way in (
        rosa_hangs_up,
        ana_hangs_up,
        rosa_presses_star,
        ana_presses_star,
        rosas_hang_up_is_not_told,
        rosas_exit_is_not_told,
        anas_hang_up_is_not_told,
        anas_exit_is_not_told,
    )
}


def told(folder: Path, blank: Path, rules: RoomRules, story: Callable[[Town], Awaitable[None]]) -> None:
    async def main() -> None:
        async with town(folder / "line", blank, rules=rules) as of:
            await story(of)

    asyncio.run(main())


def _turns(of: Town, party: Party) -> list[str]:
    """The steps of what was said to somebody, in order."""
    turns = [one.turn for one in of.ear.told if one.fields["CallUUID"] == party.uuid and one.turn is not None]
    return [turn.call.step for turn in turns]


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("way", WAYS)
def test_whoever_is_left_alone_is_taken_out_at_once_and_has_words_and_a_choice(
    way: str, rules: str, tmp_path: Path, blank: Path
) -> None:
    async def story(of: Town) -> None:
        met = await _meet(of)
        await WAYS[way](of, met)
        await of.exchange.run(5)
        assert met.room.together(met.rosa, met.ana) == pytest.approx(TALKS, abs=1)
        assert met.room.members == ()
        for party in (met.rosa, met.ana):
            assert met.room.left_alone(party) <= LEFT_ALONE
        if not met.rosa.is_over:
            assert _turns(of, met.rosa)[-1] == "after_talk"
        if not met.ana.is_over:
            assert _turns(of, met.ana)[-1].startswith("how_was_it")

    told(tmp_path, blank, RULES[rules], story)


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("way", [rosa_hangs_up, ana_hangs_up])
def test_while_the_phone_company_cannot_be_asked_whoever_is_alone_hears_so_and_is_taken_out_once_it_can(
    way: Way, rules: str, tmp_path: Path, blank: Path
) -> None:
    async def story(of: Town) -> None:
        met = await _meet(of)
        of.wire.cut = KICK
        await way(of, met)
        await of.exchange.run(1)
        left = next(stay for stay in met.room.stays if not stay.party.is_over)
        if met.room.members:
            await of.exchange.run(59)
            assert silence(left, 60) <= ALONE_PIECE
            assert text("en", "line.alone").partition(".")[0] in left.party.words[-1]
            await of.first.transfers.conferences.empty_rooms()
            assert met.room.members, "it cannot be asked yet"
            of.wire.cut = ""
            await of.first.transfers.conferences.empty_rooms()
            await of.exchange.run(0)
        assert met.room.members == ()
        assert left.party.state in ("hearing", "listening")
        asked = len(of.exchange.rest.requests)
        await of.first.transfers.conferences.empty_rooms()
        assert len(of.exchange.rest.requests) == asked, "it was confirmed: nobody asks again"

    told(tmp_path, blank, RULES[rules], story)
    assert EMPTIED_EVERY.total_seconds() <= 10


@pytest.mark.parametrize("way", [rosa_hangs_up, ana_hangs_up])
def test_whoever_is_alone_while_nothing_can_be_asked_leaves_by_star(way: Way, tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        met = await _meet(of)
        of.wire.cut = KICK
        await way(of, met)
        await of.exchange.run(20)
        [left] = met.room.members
        await left.party.press("*")
        await of.exchange.run(1)
        assert met.room.members == ()
        assert _turns(of, left.party)[-1] in ("after_talk", "how_was_it")

    told(tmp_path, blank, RULES["stays"], story)


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("way", [rosa_hangs_up, ana_hangs_up, rosa_presses_star, ana_presses_star])
def test_a_worker_that_dies_before_it_could_ask_is_stood_in_for(
    way: Way, rules: str, tmp_path: Path, blank: Path
) -> None:
    async def story(of: Town) -> None:
        met = await _meet(of)
        of.first.outlet.is_dead = True
        await way(of, met)
        await of.exchange.run(1)
        of.first.outlet.is_dead = False
        await of.first.transfers.conferences.empty_rooms()  # as any other worker of this line does, every ten seconds
        await of.exchange.run(1)
        assert met.room.members == ()

    told(tmp_path, blank, RULES[rules], story)


@pytest.mark.parametrize("rules", RULES)
def test_the_end_of_a_conference_s_time_is_told_to_both_and_both_go_on(rules: str, tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        of.ear.damage = _shorter
        met = await _meet(of)
        await of.exchange.run(25)
        assert met.room.members == ()
        assert (_turns(of, met.rosa)[-1], _turns(of, met.ana)[-1]) == ("after_talk", "how_was_it")
        assert not met.rosa.is_over
        assert {met.room.left_alone(met.rosa), met.room.left_alone(met.ana)} == {0}

    told(tmp_path, blank, RULES[rules], story)


def _shorter(_url: str, document: bytes) -> bytes:
    head, found, rest = document.partition(b"<Conference ")
    if not found:
        return document
    before, _, after = rest.partition(b' timeLimit="')
    return head + found + before + b' timeLimit="45"' + after.partition(b'"')[2]


@pytest.mark.parametrize("rules", RULES)
def test_a_conference_that_is_full_leaves_nobody_without_words(rules: str, tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        of.ear.damage = lambda _url, document: document.replace(b'maxMembers="2"', b'maxMembers="1"')
        await of.on_duty("ana")
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes"])
        rosa = await of.calls()
        await of.exchange.run(30)
        ana = of.exchange.leg(NUMBERS["ana"])
        [room] = of.exchange.conferences.values()
        assert len(room.stays) == 1
        assert (_turns(of, rosa)[-1], room.members) == ("after_talk", ())
        assert "how_was_it" in _turns(of, ana)

    told(tmp_path, blank, RULES[rules], story)


# ---- mutants: each must be caught ----


def test_mutant_stay_alone_false_sends_out_the_first_and_is_seen(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        of.damage = lambda _url, document: document.replace(b'stayAlone="true"', b'stayAlone="false"')
        found = await judged(Cell(("takes",), rules="entering"), of)
        assert "somebody takes it, and she talked with nobody" in found

    told(tmp_path, blank, RoomRules(), story)


def test_mutant_a_line_that_does_not_ask_to_empty_rooms_is_seen(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        met = await _meet(of)
        of.wire.cut = KICK
        await met.rosa.hang_up()
        await of.exchange.run(20)
        assert met.room.left_alone(met.ana) > LEFT_ALONE

    told(tmp_path, blank, RULES["stays"], story)


def test_mutant_a_conference_that_says_nothing_to_whoever_is_alone_is_seen(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        of.damage = lambda url, document: b"<Response/>" if "/alone/" in url else document
        of.ear.damage = of.damage
        met = await _meet(of)
        of.wire.cut = KICK
        await met.rosa.hang_up()
        await of.exchange.run(60)
        [left] = met.room.members
        assert silence(left, 60) > ALONE_PIECE

    told(tmp_path, blank, RULES["stays"], story)
