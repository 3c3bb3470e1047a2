"""Phones ring because the line asked for it: when, how long, what they show, how that ends, and what the line hears."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from ivr.carrier import exchange_behaviours as b
from ivr.carrier.loopback import CarrierRefused
from ivr.carrier.phones import Answers, Fails, Keys, NeverAnswers, Phone, busy, declines, screening, voicemail
from ivr.carrier.rest import Placed
from ivr.carrier.states import Over
from ivr.carrier.transport import AsgiTransport, Reply, Unreachable
from tests.carrier.scripted import BEGINNING, HOST, Pages
from tests.carrier.shows import shows
from tests.carrier.switchboard import ANA, BEA, CLEO, HOLD, LINE, ROSA, WHISPER, Board, played

THANKS = "<Speak>Thank you</Speak>"


def after(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - BEGINNING).total_seconds()


@shows(b.OUTBOUND_ANSWER, b.OUTBOUND_FIELDS, b.SHOWN, b.REQUESTED)
def test_ana_is_rung_answers_hears_the_whisper_and_takes_it() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=4, keys=(Keys("1", at=2.0),)))
        placed = await board.order(ANA)
        assert isinstance(placed, Placed)
        assert board.exchange.leg(ANA).state == "queued"
        await board.exchange.quiet()

    board = played(scene, {"/offer": WHISPER, "/taken": THANKS})
    ana = board.exchange.leg(ANA)
    assert (ana.direction, ana.number, ana.shown_number, ana.shown_name) == ("outbound", ANA, LINE, "Line")
    assert ana.words == ("A call for you", "Thank you")
    assert [after(at) for at in (ana.rang_from, ana.rang_until, ana.answered_at)] == [0, 4, 4]
    assert after(ana.ended_at) == pytest.approx(4 + 1.4 + 0.6 + 0.9)
    [answered] = board.told("/offer")
    expected = {"Direction": "outbound", "Event": "StartApp", "CallStatus": "in-progress"}
    assert answered.items() >= expected.items()
    assert (answered["From"], answered["To"]) == (LINE[1:], ANA[1:])
    assert {answered[name] for name in ("CallUUID", "ALegUUID", "ALegRequestUUID", "RequestUUID")} == {ana.uuid}
    assert board.told("/taken")[0]["Digits"] == "1"
    [over] = board.told("/over")
    assert (over["Event"], over["CallStatus"]) == ("Hangup", "completed")
    assert ana.over == Over("line", "NORMAL_CLEARING")
    assert [one.url for one in ana.exchange] == [f"{HOST}{path}" for path in ("/offer", "/taken", "/over")]


@shows(b.OUTBOUND_ENDS, b.RING_TIMEOUT, b.DECLINED)
@pytest.mark.parametrize(
    ("phone", "status", "cause", "seconds"),
    [
        (NeverAnswers(), "no-answer", "NO_ANSWER", 20),
        (Answers(after=20), "no-answer", "NO_ANSWER", 20),
        (busy(), "busy", "USER_BUSY", 1),
        (declines(after=7), "busy", "CALL_REJECTED", 7),
        (Fails(), "failed", "DESTINATION_OUT_OF_ORDER", 1),
        (Fails(after=3, ending="failed", cause="CALL_REJECTED"), "failed", "CALL_REJECTED", 3),
    ],
)
def test_the_line_hears_how_ringing_ended(phone: Phone, status: str, cause: str, seconds: int) -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, phone)
        await board.order(ANA)
        await board.exchange.quiet()

    board = played(scene, {})
    [over] = board.told("/over")
    assert (over["Event"], over["CallStatus"], over["HangupCause"]) == ("Hangup", status, cause)
    assert board.passed == seconds
    assert board.exchange.leg(ANA).status == status
    assert board.exchange.leg(ANA).heard == ()


def test_a_number_that_nobody_has_is_out_of_service() -> None:
    async def scene(board: Board) -> None:
        await board.order("+12125550987")
        await board.exchange.quiet()

    board = played(scene, {})
    assert board.told("/over")[0]["CallStatus"] == "failed"
    assert board.exchange.legs[0].rang_from is None


@pytest.mark.parametrize(
    ("phone", "answered", "ended"), [(voicemail(), 18, 18 + 1.4 + 5), (screening(), 0.5, 0.5 + 1.4 + 5)]
)
def test_a_machine_that_answers_hears_the_whisper_and_never_presses(
    phone: Phone, answered: float, ended: float
) -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, phone)
        await board.order(ANA)
        await board.exchange.quiet()

    board = played(scene, {"/offer": WHISPER})
    ana = board.exchange.leg(ANA)
    assert after(ana.answered_at) == answered
    assert after(ana.ended_at) == pytest.approx(ended)
    assert ana.voice
    assert board.told("/taken") == []


def test_a_voicemail_that_has_heard_enough_hangs_up() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, voicemail(after=3, listens=2))
        await board.order(ANA)
        await board.exchange.quiet()

    board = played(scene, {"/offer": WHISPER})
    assert board.passed == 5
    assert board.told("/over")[0]["HangupSource"] == "Call recipient"


def test_a_person_takes_over_from_the_screening_and_presses_at_the_second_whisper() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, screening(keys=(Keys("1", at=0.5, whisper=2),)))
        await board.order(ANA)
        await board.exchange.quiet()

    board = played(scene, {"/offer": WHISPER.replace("<Hangup/>", WHISPER), "/taken": THANKS})
    assert board.exchange.leg(ANA).words == ("A call for you", "A call for you", "Thank you")
    assert board.passed == pytest.approx(0.5 + 1.4 + 5 + 0.5 + 0.9)


def test_a_phone_can_do_another_thing_each_time() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, busy(), NeverAnswers())
        for _ in range(3):
            await board.order(ANA)
            await board.exchange.quiet()

    assert [over["CallStatus"] for over in played(scene, {}).told("/over")] == ["busy", "no-answer", "no-answer"]


@shows(b.QUEUED)
def test_two_phones_begin_to_ring_in_a_second() -> None:
    numbers = [f"+1212555012{place}" for place in range(5)]

    async def scene(board: Board) -> None:
        for number in numbers:
            board.exchange.phone(number, NeverAnswers())
            await board.order(number, rings=20)
        await board.exchange.run(0.5)
        assert [leg.state for leg in board.exchange.legs] == ["ringing", "ringing", "queued", "queued", "queued"]
        await board.exchange.quiet()

    board = played(scene, {})
    assert [after(leg.rang_from) for leg in board.exchange.legs] == [0, 0, 1, 1, 2]
    assert [after(leg.rang_until) for leg in board.exchange.legs] == [20, 20, 21, 21, 22]


@shows(b.TIME_LIMIT)
def test_a_call_that_lasts_too_long_is_ended() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=2))
        await board.order(ANA, talks=60)
        await board.exchange.quiet()

    board = played(scene, {"/offer": HOLD, "/hold": HOLD})
    assert board.passed == 62
    assert board.told("/over")[0]["HangupCause"] == "ALLOTTED_TIMEOUT"


def test_whoever_tests_acts_on_a_leg_by_hand() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, NeverAnswers())
        board.exchange.phone(BEA, NeverAnswers())
        await board.order(ANA)
        await board.order(BEA)
        await board.exchange.run(3)
        ana, bea = board.exchange.legs
        await bea.hang_up()
        await ana.pick_up()
        assert (ana.state, bea.state) == ("listening", "over")
        await ana.press("12")
        assert ana.words[-1] == "Thank you"
        await ana.hang_up()
        with pytest.raises(RuntimeError):
            await ana.hang_up()
        with pytest.raises(RuntimeError):
            await ana.press("1")
        with pytest.raises(RuntimeError):
            await ana.pick_up()

    board = played(scene, {"/offer": WHISPER, "/taken": THANKS})
    assert board.passed == 3
    assert [over["HangupCause"] for over in board.told("/over")] == ["CALL_REJECTED", "NORMAL_CLEARING"]


def test_rosa_walks_the_line_while_phones_ring() -> None:
    menu = f'<GetDigits action="{HOST}/chosen" numDigits="1"><Speak>Press one</Speak></GetDigits>' + HOLD

    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=5, keys=(Keys("1", whisper=1, at=0.1),)))
        rosa = await board.exchange.call(ROSA)
        assert (rosa.state, rosa.words, board.passed) == ("listening", ("Press one",), 0)
        await rosa.press("7")
        assert board.told("/chosen")[0]["Digits"] == "7"
        await board.order(ANA)
        await board.exchange.until(lambda: board.told("/taken"))
        assert board.passed == pytest.approx(5.1)
        await rosa.hang_up()
        assert board.told("/hangup")[0]["HangupSource"] == "Caller"
        await board.exchange.quiet()

    board = played(scene, {"/answer": menu, "/chosen": HOLD, "/hold": HOLD, "/offer": WHISPER, "/taken": THANKS})
    assert [leg.number for leg in board.exchange.legs] == [ROSA, ANA]


def test_the_same_scene_is_the_same_to_the_byte() -> None:
    async def scene(board: Board) -> None:
        for number in (ANA, BEA, CLEO):
            board.exchange.phone(number, Answers(after=2, keys=(Keys("1", at=1),)))
        await board.exchange.call(ROSA)
        for number in (ANA, BEA, CLEO):
            await board.order(number)
        await board.exchange.run(60)

    pages = {"/answer": HOLD, "/hold": HOLD, "/offer": WHISPER, "/taken": THANKS}
    one, other = played(scene, dict(pages)), played(scene, dict(pages))
    assert one.script.asked == other.script.asked
    assert [leg.exchange for leg in one.exchange.legs] == [leg.exchange for leg in other.exchange.legs]
    answered = [fields["To"] for fields in one.told("/taken")]
    assert answered == [ANA[1:], BEA[1:], CLEO[1:]]


def test_time_stands_still_while_the_line_answers_and_until_it_has_settled() -> None:
    boards: list[Board] = []
    seen: list[float] = []

    class Slow(AsgiTransport):
        async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
            for _ in range(50):
                await asyncio.sleep(0)
            seen.append(boards[0].passed)
            return await super().post(url, headers=headers, body=body)

    async def settled() -> None:
        """What the line does in the background asks for another phone, once."""
        if boards[0].script.count("/offer") == 1 and len(boards[0].exchange.legs) == 2:
            await boards[0].order(BEA)

    async def scene(board: Board) -> None:
        boards.append(board)
        board.exchange.phone(ANA, Answers(after=4))
        board.exchange.phone(BEA, NeverAnswers())
        await board.exchange.call(ROSA)
        await board.order(ANA)
        await board.exchange.run(9)
        assert seen == [0, 4, 6]
        assert after(board.exchange.leg(BEA).asked_at) == 4

    played(scene, {"/answer": HOLD, "/hold": HOLD, "/offer": WHISPER}, transport=Slow, settled=settled)


@pytest.mark.parametrize(("at_once", "most"), [(False, 1), (True, 2)])
def test_webhooks_of_one_moment_come_one_after_the_other_or_all_at_once(at_once: bool, most: int) -> None:
    under_way: list[int] = [0]

    class Counted(AsgiTransport):
        async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
            under_way.append(under_way[-1] + 1)
            await asyncio.sleep(0)
            reply = await super().post(url, headers=headers, body=body)
            under_way.append(under_way[-1] - 1)
            return reply

    async def scene(board: Board) -> None:
        for number in (ANA, BEA):
            board.exchange.phone(number, Answers(after=4, keys=(Keys("1", at=1),)))
            await board.order(number)
        await board.exchange.quiet()
        assert [fields["To"] for fields in board.told("/taken")] == [ANA[1:], BEA[1:]]
        assert max(under_way) == most

    played(scene, {"/offer": WHISPER, "/taken": THANKS}, transport=Counted, at_once=at_once)


def test_a_webhook_can_come_again_late() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=4))
        await board.order(ANA)
        await board.exchange.run(5)
        ana = board.exchange.leg(ANA)
        assert (await ana.redeliver(0)).status == 200
        await ana.redeliver(0, fresh_nonce=True)
        assert len(board.told("/offer")) == 3
        assert [one.fields == ana.exchange[0].fields for one in ana.exchange] == [True] * 3
        assert len({one.headers for one in ana.exchange}) == 2
        assert ana.words == ("A call for you",)

    played(scene, {"/offer": WHISPER})


def test_what_the_line_cannot_answer_is_an_error_of_the_test() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=4))
        await board.order(ANA)
        with pytest.raises(CarrierRefused, match="<Say> is not known"):
            await board.exchange.run(9)
        assert board.exchange.leg(ANA).is_over
        with pytest.raises(TimeoutError, match="not so after 5"):
            await board.exchange.until(lambda: False, at_most=5)

    played(scene, {"/offer": "<Say>Hello</Say>"})


def test_a_webhook_that_is_tried_again_takes_its_time_and_others_go_on() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=2))
        await board.order(ANA, answer="/offer#ct=1000&rt=3000&rc=3&rp=all")
        rosa = await board.exchange.call(ROSA)
        await board.exchange.until(lambda: board.exchange.leg(ANA).heard)
        assert board.passed == 6
        assert len(rosa.heard) == 3

    pieces = f"<GetDigits timeout='1'><Speak>Please hold</Speak></GetDigits><Redirect>{HOST}/hold</Redirect>"
    pages: Pages = {
        "/answer": pieces,
        "/hold": pieces,
        "/offer": [Unreachable("ct"), Unreachable("rt"), WHISPER],
    }
    played(scene, pages)


def test_whoever_hangs_up_while_a_webhook_is_tried_again_hears_nothing_of_its_answer() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=2, hangs_up=2))
        await board.order(ANA, answer="/offer#rt=3000")
        await board.exchange.quiet()
        assert board.script.count("/offer") == 2
        assert board.exchange.leg(ANA).heard == ()
        assert board.told("/over")[0]["HangupSource"] == "Call recipient"

    played(scene, {"/offer": [Unreachable("rt"), WHISPER]})


def test_a_clock_that_a_test_moves_by_hand_never_goes_back() -> None:
    async def scene(board: Board) -> None:
        board.exchange.phone(ANA, Answers(after=2))
        await board.order(ANA)
        await board.exchange.run(1)
        board.exchange.clock.advance(timedelta(seconds=10))
        await board.exchange.run(0)
        assert board.exchange.leg(ANA).answered_at == BEGINNING + timedelta(seconds=11)
        assert board.passed == 11

    played(scene, {"/offer": WHISPER})


def test_the_fallback_answers_when_the_answer_url_does_not() -> None:
    async def scene(board: Board) -> None:
        rosa = await board.exchange.call(ROSA)
        assert rosa.words == ("Thank you",)
        assert board.told("/static")[0]["Event"] == "StartApp"

    played(scene, {"/answer": 500, "/static": THANKS}, fallback=f"{HOST}/static")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ('<Speak loop="0">Hello</Speak>', "for ever is not imitated"),
        (f'<GetInput action="{HOST}/a" inputType="speech"/>', "speech is not imitated"),
        ('<Hangup schedule="60"/>', "schedule is not imitated"),
        (f"<Redirect>{HOST}/answer</Redirect>", "11 documents in a row"),
        (f"<Wait/><Redirect>{HOST}/answer</Redirect>", "61 documents in a row"),
    ],
)
def test_what_is_not_imitated_is_refused(document: str, reason: str) -> None:
    async def scene(board: Board) -> None:
        with pytest.raises(CarrierRefused, match=reason):
            await board.exchange.call(ROSA)
            await board.exchange.run(90)

    played(scene, {"/answer": document})


def test_a_scene_without_an_end_is_told_apart() -> None:
    async def scene(board: Board) -> None:
        await board.exchange.call(ROSA)
        with pytest.raises(TimeoutError, match="for ever"):
            await board.exchange.quiet()

    piece = f"<GetDigits timeout='600'/><Redirect>{HOST}/hold</Redirect>"
    played(scene, {"/answer": piece, "/hold": piece})


@shows(b.TEN_A_SECOND)
def test_of_calls_that_come_in_ten_begin_in_a_second_and_the_others_find_the_line_busy() -> None:
    async def scene(board: Board) -> None:
        calls = [await board.exchange.call(f"+121255503{number:02}") for number in range(12)]
        assert [call.status for call in calls] == [None] * 10 + ["busy"] * 2
        assert len(board.told("/answer")) == 10
        await board.exchange.run(1.5)
        assert (await board.exchange.call()).status is None

    played(scene, {"/answer": "<GetDigits timeout='30'><Speak>Menu</Speak></GetDigits>"}, taken_a_second=10)
