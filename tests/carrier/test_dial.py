"""Rosa is put through: what a Dial rings, shows, plays and reports."""

import asyncio

import pytest

from ivr.carrier import behaviours as b
from ivr.carrier.documents import Play, Speak
from ivr.carrier.leg import DialStatus
from ivr.carrier.loopback import CarrierRefused, PhoneCall
from ivr.carrier.states import DialOutcome, Over, Ringing
from ivr.carrier.transport import Unreachable
from tests.carrier.scripted import HOST, Script, line, passed, rosa_calls
from tests.carrier.shows import shows

NUMBERS = "<Number>+12125550111</Number><Number>+12125550112</Number>"
DIAL = (
    f'<Dial action="{HOST}/dialled" callerId="12125550199" callerName="Line" timeout="20" {{}}>{NUMBERS}</Dial>'
    "<Speak>Still here</Speak>"
)
CONFIRM = f'confirmSound="{HOST}/whisper" confirmKey="1" confirmTimeout="15"'
WHISPER = (
    f"<Speak>A call for the line</Speak><Wait length='2'/><Play>{HOST}/press.mp3</Play><Redirect>{HOST}/no</Redirect>"
)
BACK = "<Speak>Back</Speak>"


def ends(call: PhoneCall, outcome: DialOutcome, *, rang: float | None = None, talked: float = 60.0) -> None:
    asyncio.run(call.dial_ends(outcome, rang=rang, talked=talked))


@shows(b.RINGS_ALL)
def test_a_dial_rings_all_its_numbers_under_the_lines_own() -> None:
    call, _, _ = rosa_calls({"/answer": DIAL.format("")})
    assert isinstance(call.state, Ringing)
    assert call.state.dial.numbers == ("+12125550111", "+12125550112")
    assert (call.state.shown_number, call.state.shown_name) == ("12125550199", "Line")
    assert call.dials == (call.state,)


@shows(b.DEFAULT_CALLER)
def test_a_dial_that_names_nobody_shows_rosa() -> None:
    script = Script({"/answer": f"<Dial>{NUMBERS}</Dial>"})
    call = asyncio.run(line(script).call(extra={"CallerName": "ROSA"}))
    assert isinstance(call.state, Ringing)
    assert (call.state.shown_number, call.state.shown_name) == ("+12125550100", "ROSA")
    nameless = asyncio.run(line(script).call())
    assert isinstance(nameless.state, Ringing)
    assert nameless.state.shown_name == "+12125550100"


@shows(b.DIAL_ACTION, b.DIAL_TIMEOUT)
@pytest.mark.parametrize(
    ("outcome", "rang", "answered", "seconds"),
    [
        ("busy", "false", False, 2),
        ("failed", "false", False, 2),
        ("no-answer", "true", False, 20),
        ("timeout", "true", False, 20),
        ("cancel", "true", False, 8),
        ("completed", "true", True, 68),
    ],
)
def test_the_action_hears_how_a_dial_ended(outcome: DialStatus, rang: str, answered: bool, seconds: int) -> None:
    call, script, rosas_line = rosa_calls({"/answer": DIAL.format(""), "/dialled": BACK})
    ends(call, outcome)
    told = script.last("/dialled")
    assert (told["DialStatus"], told["DialRingStatus"], told["DialALegUUID"]) == (outcome, rang, call.uuid)
    assert bool(told["DialBLegUUID"]) == answered
    assert told["DialHangupCause"]
    assert passed(rosas_line) == pytest.approx(seconds + 0.4)
    assert [sound.text for sound in call.heard if isinstance(sound, Speak)] == ["Back"]


@shows(b.DIAL_TIMEOUT)
def test_a_dial_without_a_time_out_rings_for_two_minutes() -> None:
    call, _, rosas_line = rosa_calls({"/answer": f"<Dial>{NUMBERS}</Dial>"})
    ends(call, "no-answer")
    assert passed(rosas_line) == 120


@shows(b.NO_ACTION)
def test_without_an_action_the_next_element_runs() -> None:
    call, _, _ = rosa_calls({"/answer": f"<Dial>{NUMBERS}</Dial><Speak>Still here</Speak>"})
    ends(call, "busy")
    assert [sound.text for sound in call.heard if isinstance(sound, Speak)] == ["Still here"]
    assert call.state == Over("line", "NORMAL_CLEARING")


@shows(b.REDIRECT_FALSE)
def test_with_redirect_false_the_action_is_told_and_the_next_element_runs() -> None:
    call, script, _ = rosa_calls({"/answer": DIAL.format('redirect="false"'), "/dialled": BACK})
    ends(call, "busy")
    assert script.last("/dialled")["DialStatus"] == "busy"
    assert [sound.text for sound in call.heard if isinstance(sound, Speak)] == ["Still here"]


@shows(b.CONFIRM_SOUND, b.CONFIRM_LEG)
def test_whoever_answers_hears_the_confirm_sound_and_rosa_does_not() -> None:
    call, script, rosas_line = rosa_calls({"/answer": DIAL.format(CONFIRM), "/whisper": WHISPER, "/dialled": BACK})
    ends(call, "completed", rang=5.0, talked=100.0)
    assert call.whispered == (Speak("A call for the line", "WOMAN", "en-US", 1, 0.0), Play(f"{HOST}/press.mp3", 1))
    assert script.count("/no") == 0
    asked = script.last("/whisper")
    assert (asked["From"], asked["To"], asked["ALegUUID"]) == ("12125550199", "12125550111", call.uuid)
    assert asked["CallUUID"] == script.last("/dialled")["DialBLegUUID"] != call.uuid
    assert passed(rosas_line) == pytest.approx(5 + 1.9 + 2 + 3 + 100 + 0.4)


@shows(b.UNCONFIRMED)
def test_an_answered_phone_that_presses_nothing_is_given_up() -> None:
    call, script, rosas_line = rosa_calls({"/answer": DIAL.format(CONFIRM), "/whisper": "<Wait/>", "/dialled": BACK})
    ends(call, "unconfirmed", rang=5.0)
    assert script.last("/dialled")["DialStatus"] == "no-answer"
    assert script.last("/dialled")["DialBLegUUID"]
    assert passed(rosas_line) == pytest.approx(5 + 1 + 15 + 0.4)


@shows(b.UNCONFIRMED)
def test_what_is_told_of_an_unconfirmed_dial_can_be_anything() -> None:
    call, script, _ = rosa_calls({"/answer": DIAL.format(CONFIRM), "/whisper": "<Wait/>", "/dialled": BACK})
    asyncio.run(call.dial_ends("unconfirmed", told="completed"))
    assert script.last("/dialled")["DialStatus"] == "completed"


def test_a_dial_without_a_confirm_key_cannot_stay_unconfirmed() -> None:
    call, _, _ = rosa_calls({"/answer": DIAL.format("")})
    with pytest.raises(ValueError, match="put through"):
        ends(call, "unconfirmed")
    assert isinstance(call.state, Ringing)


def test_a_confirm_sound_that_is_no_document_is_an_error() -> None:
    call, _, _ = rosa_calls({"/answer": DIAL.format(CONFIRM), "/whisper": "<Say>a</Say>", "/dialled": BACK})
    with pytest.raises(CarrierRefused, match="<Say>"):
        ends(call, "completed")


def test_a_confirm_sound_that_nobody_answers_is_skipped() -> None:
    call, script, _ = rosa_calls({"/answer": DIAL.format(CONFIRM), "/whisper": Unreachable("ct"), "/dialled": BACK})
    ends(call, "completed")
    assert script.last("/dialled")["DialStatus"] == "completed"
    assert call.whispered == ()


def test_talking_ends_at_the_time_limit() -> None:
    call, _, rosas_line = rosa_calls({"/answer": DIAL.format('timeLimit="30"'), "/dialled": BACK})
    ends(call, "completed", rang=0.0, talked=1000.0)
    assert passed(rosas_line) == pytest.approx(30.4)


@shows(b.HANGUP_ON_STAR, b.STAR_STATUS)
def test_star_leaves_a_dial_that_allows_it() -> None:
    call, script, _ = rosa_calls({"/answer": DIAL.format('hangupOnStar="true"'), "/dialled": BACK})
    asyncio.run(call.press("1"))
    assert isinstance(call.state, Ringing)
    asyncio.run(call.press("*"))
    assert script.last("/dialled")["DialStatus"] == "cancel"


@shows(b.HANGUP_ON_STAR)
def test_star_does_nothing_in_a_dial_that_does_not() -> None:
    call, script, _ = rosa_calls({"/answer": DIAL.format("")})
    asyncio.run(call.press("*"))
    assert isinstance(call.state, Ringing)
    assert len(script.asked) == 1


@shows(b.CALLER_LEAVES_DIAL)
def test_rosa_may_hang_up_while_it_rings() -> None:
    call, script, _ = rosa_calls({"/answer": DIAL.format("")})
    asyncio.run(call.hang_up())
    assert [path for path, _ in script.asked] == ["/answer", "/hangup"]


def test_a_dial_is_not_silence_and_an_input_is_not_a_dial() -> None:
    call, _, _ = rosa_calls({"/answer": DIAL.format("")})
    with pytest.raises(RuntimeError, match="dial_ends"):
        asyncio.run(call.silence())
    listening, _, _ = rosa_calls({"/answer": f'<GetInput action="{HOST}/a"/>'})
    with pytest.raises(RuntimeError, match="no phone is ringing"):
        ends(listening, "busy")
