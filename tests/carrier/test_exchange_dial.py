"""Rosa is put through by a Dial that rings other phones of the exchange, all at once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.carrier import behaviours as known
from ivr.carrier import exchange_behaviours as b
from ivr.carrier.loopback import CarrierRefused
from ivr.carrier.party import Talk
from ivr.carrier.phones import Answers, Fails, Keys, NeverAnswers, Phone, busy, declines
from ivr.carrier.states import Over
from tests.carrier.scripted import BEGINNING, HOST, Pages
from tests.carrier.shows import shows
from tests.carrier.switchboard import ANA, BEA, LINE, ROSA, Board, played

NUMBERS = f"<Number>{ANA}</Number><Number>{BEA}</Number>"
CONFIRM = f'confirmSound="{HOST}/whisper" confirmKey="1" confirmTimeout="15"'
PAGES: Pages = {
    "/dialled": "<GetDigits timeout='90'><Speak>Back</Speak></GetDigits>",
    "/whisper": "<Speak>A call for you</Speak><Wait length='2'/><Redirect>https://a.example/no</Redirect>",
}


def dial(attributes: str = "", *, timeout: int = 20) -> Pages:
    shown = f'callerId="{LINE}" callerName="Line"'
    return {
        **PAGES,
        "/answer": f'<Dial action="{HOST}/dialled" {shown} timeout="{timeout}" {attributes}>{NUMBERS}</Dial>',
    }


@shows(known.RINGS_ALL, known.DIAL_ACTION)
def test_all_ring_at_once_and_the_first_who_answers_talks_with_rosa() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=8))
        board.exchange.phone(BEA, Answers(after=3, hangs_up=40))
        rosa = await board.exchange.call(ROSA)
        assert [(leg.number, leg.state) for leg in board.exchange.legs[1:]] == [(ANA, "ringing"), (BEA, "ringing")]
        await board.exchange.run(3)
        ana, bea = board.exchange.legs[1:]
        assert (rosa.state, bea.state, ana.state) == ("talking", "talking", "over")
        assert (bea.shown_number, bea.shown_name) == (LINE, "Line")
        await board.exchange.run(40)
        [told] = board.told("/dialled")
        assert (told["DialStatus"], told["DialBLegUUID"], told["DialALegUUID"]) == ("completed", bea.uuid, rosa.uuid)
        assert rosa.words == ("Back",)
        assert (board.passed, bea.over) == (43, Over("callee", "NORMAL_CLEARING"))
        talk = Talk(BEA, BEGINNING + timedelta(seconds=3), BEGINNING + timedelta(seconds=43))
        assert (rosa.talks, bea.talks, ana.talks) == ([talk], [replace(talk, other=ROSA)], [])

    played(scene, dial())


@pytest.mark.parametrize(
    ("ana", "bea", "status", "seconds"),
    [
        (busy(), busy(after=2), "busy", 2),
        (Fails(), Fails(), "failed", 1),
        (busy(), NeverAnswers(), "no-answer", 20),
        (declines(after=2), NeverAnswers(), "no-answer", 20),
        (Answers(after=20), NeverAnswers(), "no-answer", 20),
        (declines(after=2), Fails(), "no-answer", 2),
    ],
)
@shows(known.DIAL_TIMEOUT)
def test_what_the_action_hears_where_nobody_answers(ana: Phone, bea: Phone, status: str, seconds: int) -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, ana)
        board.exchange.phone(BEA, bea)
        rosa = await board.exchange.call(ROSA)
        await board.exchange.until(lambda: rosa.state == "listening")
        [told] = board.told("/dialled")
        assert (told["DialStatus"], told["DialBLegUUID"]) == (status, "")
        assert board.passed == seconds
        await board.exchange.run(0)
        assert [leg.state for leg in board.exchange.legs[1:]] == ["over", "over"]

    played(scene, dial())


@shows(known.CONFIRM_SOUND, known.CONFIRM_LEG, b.CONFIRM_RINGS_ON)
def test_whoever_answers_first_must_confirm_while_the_others_ring_on() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=2))
        board.exchange.phone(BEA, Answers(after=5, keys=(Keys("51", at=1),)))
        rosa = await board.exchange.call(ROSA)
        await board.exchange.run(5.5)
        ana, bea = board.exchange.legs[1:]
        assert (ana.state, bea.state, rosa.state) == ("listening", "listening", "dialling")
        assert ana.words == ("A call for you",)
        await board.exchange.run(0.5)
        assert (ana.state, bea.state, rosa.state) == ("over", "talking", "talking")
        asked = board.told("/whisper")
        assert [(one["CallUUID"], one["To"], one["ALegUUID"]) for one in asked] == [
            (ana.uuid, ANA[1:], rosa.uuid),
            (bea.uuid, BEA[1:], rosa.uuid),
        ]

    played(scene, dial(CONFIRM))


@shows(known.UNCONFIRMED)
def test_voicemail_does_not_confirm() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=2))
        board.exchange.phone(BEA, busy())
        rosa = await board.exchange.call(ROSA)
        await board.exchange.until(lambda: rosa.state == "listening")
        assert board.passed == pytest.approx(2 + 1.4 + 2 + 15)
        assert board.told("/dialled")[0]["DialStatus"] == "no-answer"

    played(scene, dial(CONFIRM, timeout=60))


def test_whoever_hangs_up_at_the_whisper_was_not_talked_with() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=2, hangs_up=1))
        board.exchange.phone(BEA, Answers(after=3, hangs_up=1))
        rosa = await board.exchange.call(ROSA)
        await board.exchange.until(lambda: rosa.state == "listening")
        assert board.told("/dialled")[0]["DialStatus"] == "no-answer"
        assert (board.passed, rosa.talks) == (4, [])

    played(scene, dial(CONFIRM))


@shows(known.HANGUP_ON_STAR, known.STAR_STATUS)
@pytest.mark.parametrize(("seconds", "status"), [(1, "cancel"), (10, "completed")])
def test_star_ends_the_dial_for_everybody(seconds: float, status: str) -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=4))
        board.exchange.phone(BEA, NeverAnswers())
        rosa = await board.exchange.call(ROSA)
        await board.exchange.run(seconds)
        await board.exchange.leg(ROSA).press("7*")
        assert rosa.words == ("Back",)
        assert board.told("/dialled")[0]["DialStatus"] == status
        assert [leg.state for leg in board.exchange.legs[1:]] == ["over", "over"]

    # Her voice is heard once she has been picked up: a Dial picks up.
    played(scene, dial('hangupOnStar="true"'))


@shows(known.CALLER_LEAVES_DIAL)
@pytest.mark.parametrize("seconds", [1, 10])
def test_when_rosa_hangs_up_nothing_rings_any_more_and_nobody_talks(seconds: float) -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=4))
        board.exchange.phone(BEA, NeverAnswers())
        rosa = await board.exchange.call(ROSA)
        await board.exchange.run(seconds)
        await rosa.hang_up()
        await board.exchange.run(0)
        assert [leg.state for leg in board.exchange.legs] == ["over"] * 3
        assert (board.told("/dialled"), len(board.told("/hangup"))) == ([], 1)

    played(scene, dial())


def test_a_talk_has_its_time_limit() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=4))
        rosa = await board.exchange.call(ROSA)
        await board.exchange.until(lambda: rosa.state == "listening", at_most=90)
        assert board.passed == 64
        assert board.told("/dialled")[0]["DialStatus"] == "completed"

    played(scene, dial('timeLimit="60"'))


@shows(known.DEFAULT_CALLER)
def test_a_dial_that_names_nobody_shows_rosa() -> None:
    async def scene(board: Board) -> None:
        await board.exchange.call(ROSA, extra={"CallerName": "ROSA"})
        assert (board.exchange.legs[1].shown_number, board.exchange.legs[1].shown_name) == (ROSA, "ROSA")

    played(scene, {"/answer": f"<Dial>{NUMBERS}</Dial>"})


def test_a_dial_that_tells_all_about_itself_is_not_imitated() -> None:
    async def scene(board: Board) -> None:
        with pytest.raises(CarrierRefused, match="callbackUrl is not imitated"):
            await board.exchange.call(ROSA)

    played(scene, dial(f'callbackUrl="{HOST}/told"'))
