"""What other hotlines shipped, one test for each defect that is about ringing: each is a sentence of their issues."""

from pathlib import Path

import pytest

from ivr.carrier.leg import WITHHELD_CALLERS
from ivr.carrier.phones import Answers, NeverAnswers
from ivr.carrier.rest_api import refuses
from ivr.flow.phrases import Name
from ivr.oncall.ring_limits import SAME_PHONE_AFTER
from ivr.services import rota
from ivr.services.rota import Change
from ivr.vault.host import HostKey
from tests.founded import SECRET
from tests.shipped import flow
from tests.transfers.judging import conversations, judged
from tests.transfers.people import BACKUP, LOLA, NAMES, NUMBERS, OUTCOMES, ROSA, Caller, Cell, pressing
from tests.transfers.town import RING_ALL, Town, is_connecting, under_every_rule


async def speaks(of: Town, name: str, *languages: str) -> None:
    await rota.change_person(of.first.line.database, HostKey.of(SECRET), name, Change(languages=languages))


def prompts(of: Town, name: str) -> list[str]:
    """All that the phone of this name was told."""
    uuid = of.exchange.leg(NUMBERS[name]).uuid
    turns = [one.turn for one in of.ear.told if one.fields["CallUUID"] == uuid and one.turn is not None]
    return [said.prompt for turn in turns for said in turn.said]


def rung(of: Town) -> list[str]:
    return [NAMES[leg.number] for leg in of.rung()]


@pytest.mark.parametrize("language", ["en", "es"])
def test_who_speaks_the_caller_s_language_is_rung_before_those_who_do_not(
    language: str, tmp_path: Path, blank: Path
) -> None:
    """Language ignored in routing for months; unnoticed."""

    async def story(of: Town) -> None:
        for name in ("ana", "bo", "cy"):
            await speaks(of, name, "en")
        await speaks(of, "gil", "es")
        await of.on_duty("ana", "bo", "cy", "gil")
        for name in ("ana", "bo", "cy", "gil"):
            of.exchange.phone(NUMBERS[name], NeverAnswers())
        await of.calls(language=language)
        await of.exchange.run(5)
        assert rung(of) == (["gil", "ana", "bo"] if language == "es" else ["ana", "bo", "cy"])

    under_every_rule(tmp_path, blank, story)


def test_where_nobody_speaks_spanish_somebody_is_rung_and_is_told_that_the_caller_does(
    tmp_path: Path, blank: Path
) -> None:
    """Spanish callers get the English group, and nobody is told."""

    async def story(of: Town) -> None:
        await speaks(of, "ana", "en")
        await of.on_duty("ana")
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["hears more and takes"])
        rosa = await of.calls(language="es")
        await of.exchange.run(30)
        assert conversations(of, rosa) == ["ana"]
        assert "line.about" in prompts(of, "ana")
        about = next(said for one in of.ear.told if one.turn for said in one.turn.said if said.prompt == "line.about")
        assert dict(about.values)["name"] == Name(flow().catalogues["es"].name)

    under_every_rule(tmp_path, blank, story)


def test_where_nobody_has_a_shift_she_is_told_at_once_and_has_a_key_to_press(tmp_path: Path, blank: Path) -> None:
    """Rings for ever; waits of 45 to 75 minutes."""

    async def story(of: Town) -> None:
        await of.on_duty()
        rosa = await of.calls()
        turn = of.ear.told[-1].turn
        assert turn is not None
        assert turn.call.step == "nobody_free"
        assert (rosa.state, rung(of)) == ("listening", [])

    under_every_rule(tmp_path, blank, story)


@pytest.mark.parametrize("dead", ["has no number", "fails while ringing", "is refused at REST", "is busy"])
def test_one_dead_number_stops_nobody_else(dead: str, tmp_path: Path, blank: Path) -> None:
    """One dead number stops the whole ring-all."""

    async def story(of: Town) -> None:
        assert await judged(Cell((dead, "takes", "never answers"), caller=Caller("0", "while it rings")), of) == []
        assert of.rosa is not None
        assert conversations(of, of.rosa) == ["bo"]

    under_every_rule(tmp_path, blank, story)


@pytest.mark.parametrize("key", list("024567890*#"))
def test_a_wrong_key_of_somebody_who_answers_does_not_hang_up_on_the_caller(
    key: str, tmp_path: Path, blank: Path
) -> None:
    """An advocate's wrong key hangs up on the caller."""

    async def story(of: Town) -> None:
        await of.on_duty("ana", *BACKUP)
        of.exchange.phone(NUMBERS["ana"], pressing(key))
        of.exchange.phone(NUMBERS["dee"], OUTCOMES["takes"])
        rosa = await of.calls()
        await of.exchange.run(40)
        assert conversations(of, rosa) == ["dee"]

    under_every_rule(tmp_path, blank, story)


def test_a_mailbox_takes_no_call(tmp_path: Path, blank: Path) -> None:
    """Personal voicemail accepts the call."""

    async def story(of: Town) -> None:
        cell = Cell(("has a mailbox", "has a mailbox that listens for long"), ("has a mailbox",))
        assert await judged(cell, of) == []
        assert of.rosa is not None
        assert conversations(of, of.rosa) == []
        heard = {word for leg in of.rung() for word in leg.words}
        assert not [word for word in heard if "report" in word.lower() or "caller" in word.lower()], heard

    under_every_rule(tmp_path, blank, story)


def test_somebody_engaged_is_not_rung_while_somebody_else_is_free(tmp_path: Path, blank: Path) -> None:
    """An engaged advocate is rung again while another is free."""

    async def story(of: Town) -> None:
        await of.on_duty("ana")
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes"])
        lola = await of.calls(LOLA)
        await of.exchange.run(20)
        await of.on_duty("ana", "bo")
        of.exchange.phone(NUMBERS["bo"], OUTCOMES["takes"])
        rosa = await of.calls(ROSA)
        await of.exchange.run(20)
        assert (conversations(of, lola), conversations(of, rosa)) == (["ana"], ["bo"])
        assert rung(of) == ["ana", "bo"]
        await lola.hang_up()
        await of.exchange.run(2)
        third = await of.calls("+12125550102")
        await of.exchange.run(2)
        assert rung(of) == ["ana", "bo"], "she is asked how it was: she is not free yet"
        await of.exchange.run(30)
        await third.press("0")
        await of.exchange.run(15)
        assert conversations(of, third) == ["ana"]

    under_every_rule(tmp_path, blank, story)


def test_no_phone_rings_on_after_somebody_took_the_call(tmp_path: Path, blank: Path) -> None:
    """Phantom rings after somebody took the call."""

    async def story(of: Town) -> None:
        await of.on_duty("ana", "bo", "cy")
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes"])
        of.exchange.phone(NUMBERS["bo"], NeverAnswers())
        of.exchange.phone(NUMBERS["cy"], Answers(after=3))
        await of.calls()
        await of.exchange.until(lambda: any(is_connecting(one.turn) for one in of.ear.told))
        await of.exchange.run(0.1)
        assert (of.exchange.leg(NUMBERS["bo"]).state, of.exchange.leg(NUMBERS["cy"]).state) == ("over", "over")

    under_every_rule(tmp_path, blank, story)


@pytest.mark.parametrize("late", [pressing("1", after=3, at=14), pressing("1", after=18)])
def test_whoever_is_late_hears_that_it_is_taken_and_is_let_go(late: Answers, tmp_path: Path, blank: Path) -> None:
    """A late answer joins a talk, or hears nothing."""

    async def story(of: Town) -> None:
        of.exchange.rest.fails(refuses(500, only="DELETE"))
        await of.on_duty("ana", "bo")
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes"])
        of.exchange.phone(NUMBERS["bo"], late)
        rosa = await of.calls()
        await of.exchange.run(40)
        assert conversations(of, rosa) == ["ana"]
        assert prompts(of, "bo")[-2:] == ["line.taken_already", "thanks"]
        assert of.exchange.leg(NUMBERS["bo"]).is_over

    under_every_rule(tmp_path, blank, story)


def test_whoever_is_late_for_a_caller_who_left_hears_so_and_is_let_go(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        of.exchange.rest.fails(refuses(500, only="DELETE"))
        await of.on_duty("ana")
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes late"])
        rosa = await of.calls()
        await of.exchange.run(8)
        await rosa.hang_up()
        await of.exchange.run(20)
        assert of.exchange.leg(NUMBERS["ana"]).is_over
        assert prompts(of, "ana")[-1] == "thanks"
        assert of.exchange.conferences == {}

    under_every_rule(tmp_path, blank, story)


@pytest.mark.parametrize("number", WITHHELD_CALLERS)
def test_a_caller_who_withholds_her_number_reaches_a_person(number: str, tmp_path: Path, blank: Path) -> None:
    """A withheld number matches a blocklist entry."""

    async def story(of: Town) -> None:
        await of.on_duty("ana")
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes"])
        rosa = await of.calls(number)
        await of.exchange.run(20)
        assert conversations(of, rosa) == ["ana"]

    under_every_rule(tmp_path, blank, story)


def test_nothing_that_rings_or_meets_records_or_shows_the_caller(tmp_path: Path, blank: Path) -> None:
    """A call recorded because of one XML attribute."""

    async def story(of: Town) -> None:
        assert await judged(Cell(("hears more and takes", "passes"), ("never answers",)), of) == []
        said = b" ".join(one.reply.body for one in of.ear.told)
        asked = " ".join(str(one.json) for one in of.exchange.rest.requests)
        assert b"ecord" not in said
        assert "ecord" not in asked
        assert ROSA[1:] not in asked
        assert ROSA[1:].encode() not in said

    under_every_rule(tmp_path, blank, story)


def test_webhooks_that_come_again_when_all_is_over_ring_nobody_and_end_nothing(tmp_path: Path, blank: Path) -> None:
    """Provider events late, doubled, out of order."""

    async def story(of: Town) -> None:
        await of.on_duty("ana", "bo")
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes"])
        of.exchange.phone(NUMBERS["bo"], OUTCOMES["passes"])
        rosa = await of.calls()
        await of.exchange.run(30)
        before = rung(of), conversations(of, rosa)
        for leg in of.exchange.legs:
            for number in reversed(range(len(leg.exchange))):
                assert (await leg.redeliver(number)).status == 200
        await of.exchange.run(20)
        assert (rung(of), conversations(of, rosa)) == before == (["ana", "bo"], ["ana"])
        assert len([room for room in of.exchange.conferences.values() if len(room.members) == 2]) == 1

    under_every_rule(tmp_path, blank, story)


def test_a_phone_company_that_cannot_be_asked_is_not_a_silence(tmp_path: Path, blank: Path) -> None:
    """An error branch says nothing, then hangs up."""

    async def story(of: Town) -> None:
        of.exchange.rest.fails(refuses(401))
        await of.on_duty("ana")
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["never answers"])
        began_at = of.clock.now()
        rosa = await of.calls()
        await of.exchange.until(lambda: rosa.listened >= 4)
        turn = of.ear.told[-1].turn
        assert turn is not None
        assert turn.call.step == "nobody_free"
        assert of.clock.now() - began_at < RING_ALL
        await rosa.press("0")
        await of.exchange.run(1)
        assert rung(of) == ["ana"], "a phrase first, then her phone again, but not within a minute"
        await of.exchange.until(lambda: len(rung(of)) == 2)
        assert of.clock.now() - began_at >= SAME_PHONE_AFTER
        assert rung(of) == ["ana", "ana"]

    under_every_rule(tmp_path, blank, story)
