"""Rosa calls a scripted line over the loopback carrier: one sentence for each thing that Plivo does."""

import asyncio
from datetime import timedelta

import pytest

from ivr.carrier import behaviours as b
from ivr.carrier.documents import GetDigits, GetInput, Play, Speak
from ivr.carrier.fields import parse_form
from ivr.carrier.leg import WITHHELD_CALLERS
from ivr.carrier.loopback import CarrierRefused, PhoneCall
from ivr.carrier.signature import MAIN_SIGNATURE, NONCE, SIGNATURE, sign
from ivr.carrier.states import AwaitingKeys, Over
from tests.carrier.scripted import BEGINNING, HOST, TOKEN, Script, line, passed, rosa_calls
from tests.carrier.shows import shows

MENU = (
    f'<GetInput action="{HOST}/chosen" numDigits="1" finishOnKey="none" executionTimeout="5">'
    f"<Speak>Press one</Speak></GetInput><Redirect>{HOST}/silent</Redirect>"
)
TYPED = (
    f'<GetInput action="{HOST}/typed" numDigits="11" digitEndTimeout="4" {{}}><Speak>Your digits</Speak></GetInput>'
    f"<Redirect>{HOST}/silent</Redirect>"
)
SLOWLY = (
    f'<GetDigits action="{HOST}/typed" {{}}><Speak>Your digits</Speak></GetDigits><Redirect>{HOST}/silent</Redirect>'
)
BYE = "<Speak>Goodbye</Speak><Hangup/>"


def press(call: PhoneCall, keys: str, *, after: float = 0.0) -> None:
    asyncio.run(call.press(keys, after=after))


def silence(call: PhoneCall) -> None:
    asyncio.run(call.silence())


def texts(call: PhoneCall) -> list[str]:
    return [sound.text if isinstance(sound, Speak) else sound.url for sound in call.heard]


@shows(b.ANSWER, b.NUMBERS_WITHOUT_PLUS)
def test_a_call_begins_with_the_answer_webhook() -> None:
    call, script, _ = rosa_calls({"/answer": MENU})
    asked = script.last("/answer")
    assert asked["CallUUID"] == call.uuid
    assert (asked["From"], asked["To"]) == ("12125550100", "12125550199")
    assert (asked["Direction"], asked["CallStatus"], asked["Event"]) == ("inbound", "ringing", "StartApp")
    assert asked["SessionStart"] == "2026-03-06 22:15:00.000000"
    assert set(asked) >= {"BillRate", "ParentAuthID"}


def test_two_calls_have_two_ids_and_two_seeds_two_more() -> None:
    script = Script({"/answer": MENU})
    first, other = line(script), line(script, seed="another")
    calls = [asyncio.run(one.call()) for one in (first, first, other)]
    assert len({call.uuid for call in calls}) == 3


def test_some_calls_carry_more_fields() -> None:
    script = Script({"/answer": MENU, "/chosen": MENU})
    extra = {"CallerName": "ROSA Ñ", "ForwardedFrom": "12125550122", "SIP-H-X": "1", "STIRVerification": "Verified"}
    call = asyncio.run(line(script).call(extra=extra))
    press(call, "1")
    assert script.last("/answer").items() >= extra.items()
    assert script.last("/chosen").items() >= extra.items()


@shows(b.WITHHELD)
@pytest.mark.parametrize("caller", WITHHELD_CALLERS)
def test_a_withheld_number_is_no_number(caller: str) -> None:
    script = Script({"/answer": MENU})
    asyncio.run(line(script).call(caller=caller))
    assert script.last("/answer")["From"] == caller.removeprefix("+")


@shows(b.SIGNED)
def test_every_webhook_is_signed_for_both_accounts_with_a_nonce_of_its_own() -> None:
    call, _, _ = rosa_calls(
        {"/answer": MENU.replace("/chosen", "/chosen?a=b#rc=2"), "/chosen?a=b": MENU}, main_token="m"
    )
    press(call, "1")
    first, second = call.exchange
    assert second.url == f"{HOST}/chosen?a=b"
    headers = dict(second.headers)
    fields = parse_form(second.body) or {}
    assert headers[SIGNATURE] == sign(TOKEN, url=second.url, nonce=headers[NONCE], fields=fields)
    assert headers[MAIN_SIGNATURE] == sign("m", url=second.url, nonce=headers[NONCE], fields=fields)
    assert dict(first.headers)[NONCE] != headers[NONCE]


def test_the_same_call_again_sends_the_same_bytes() -> None:
    calls = [rosa_calls({"/answer": MENU, "/chosen": MENU})[0] for _ in range(2)]
    for call in calls:
        press(call, "1")
    assert calls[0].exchange == calls[1].exchange


@shows(b.IN_ORDER, b.HANGUP_WEBHOOK)
def test_what_is_said_comes_in_order_and_the_end_of_the_document_hangs_up() -> None:
    call, script, rosas_line = rosa_calls(
        {"/answer": f"<Speak>One</Speak><Play>{HOST}/two.mp3</Play><Wait length='2'/>"}
    )
    assert texts(call) == ["One", f"{HOST}/two.mp3"]
    assert call.state == Over("line", "NORMAL_CLEARING")
    assert passed(rosas_line) == pytest.approx(0.3 + 3 + 2)
    gone = script.last("/hangup")
    assert (gone["Event"], gone["CallStatus"], gone["HangupCause"]) == ("Hangup", "completed", "NORMAL_CLEARING")
    assert (gone["Duration"], gone["BillDuration"], gone["CallUUID"]) == ("5", "60", call.uuid)


def test_what_is_heard_keeps_voice_and_language_and_repeats() -> None:
    call, _, rosas_line = rosa_calls({"/answer": '<Speak voice="MAN" language="es-US" loop="2">Hola</Speak>'})
    assert call.heard == (Speak("Hola", "MAN", "es-US", 2, 0.0),)
    assert passed(rosas_line) == pytest.approx(0.8)


@shows(b.SPEECH_BREAKS)
def test_a_break_takes_its_time() -> None:
    _, _, rosas_line = rosa_calls({"/answer": '<Speak voice="Polly.Mia">Hola<break time="1500ms"/></Speak>'})
    assert passed(rosas_line) == pytest.approx(0.4 + 1.5)


@shows(b.WAIT_DELAYS_ANSWER)
def test_a_wait_before_anything_else_lets_it_ring() -> None:
    _, script, _ = rosa_calls(
        {"/answer": f"<Wait length='4'/><Redirect>{HOST}/next</Redirect>", "/next": "<Wait/><Speak>Hello</Speak>"}
    )
    assert script.last("/next")["CallStatus"] == "ringing"
    assert script.last("/hangup")["Duration"] == "0"


@shows(b.PROMPT_INTERRUPTED, b.ACTION, b.ACTION_EVENT, b.ENOUGH_DIGITS)
def test_a_key_interrupts_and_its_action_follows_at_once() -> None:
    call, script, rosas_line = rosa_calls({"/answer": MENU, "/chosen": MENU})
    assert texts(call) == ["Press one"]
    assert isinstance(call.state, AwaitingKeys)
    assert isinstance(call.state.element, GetInput)
    press(call, "2", after=0.5)
    chosen = script.last("/chosen")
    assert (chosen["Digits"], chosen["InputType"]) == ("2", "dtmf")
    assert (chosen["Event"], chosen["CallStatus"]) == ("Redirect", "in-progress")
    assert passed(rosas_line) == pytest.approx(0.5)
    assert texts(call) == ["Press one"]


@shows(b.LATE_KEYS_LOST)
def test_keys_beyond_those_taken_are_lost() -> None:
    call, script, _ = rosa_calls({"/answer": MENU, "/chosen": MENU})
    press(call, "123")
    assert script.last("/chosen")["Digits"] == "1"
    assert script.count("/chosen") == 1
    assert isinstance(call.state, AwaitingKeys)


@shows(b.NO_INPUT_FALLS_THROUGH, b.TIMEOUT_AFTER_PROMPTS, b.REDIRECT)
def test_silence_goes_on_with_the_next_element_after_prompt_and_time_out() -> None:
    call, script, rosas_line = rosa_calls({"/answer": MENU, "/silent": BYE})
    silence(call)
    assert script.count("/chosen") == 0
    assert "Digits" not in script.last("/silent")
    assert script.last("/silent")["Event"] == "Redirect"
    assert texts(call) == ["Goodbye"]
    assert passed(rosas_line) == pytest.approx(0.9 + 5 + 0.7)
    assert isinstance(call.state, Over)


@shows(b.FINISH_KEY)
@pytest.mark.parametrize(
    ("attribute", "keys", "digits"),
    [
        ("", "12#3", "12"),
        ('finishOnKey="*"', "12#*", "12#"),
        ('finishOnKey="none"', "12#*", "12#*"),
        ('finishOnKey=""', "#", "#"),
    ],
)
def test_the_finish_key_ends_the_input_and_is_no_digit(attribute: str, keys: str, digits: str) -> None:
    call, script, _ = rosa_calls({"/answer": TYPED.format(attribute), "/typed": MENU})
    press(call, keys)
    assert script.last("/typed")["Digits"] == digits


@shows(b.BARE_FINISH_KEY)
def test_a_bare_finish_key_is_no_input() -> None:
    call, script, _ = rosa_calls({"/answer": TYPED.format(""), "/silent": MENU})
    press(call, "#")
    assert script.count("/typed") == 0
    assert script.count("/silent") == 1


@shows(b.DIGITS_END, b.AUTO_DIGIT_END)
@pytest.mark.parametrize(
    ("document", "keys", "seconds"),
    [
        (TYPED.format(""), "123", 4),
        (TYPED.format("").replace('"4"', '"auto"'), "123", 4),
        (TYPED.format(""), "123#", 0),
        (TYPED.format(""), "12345678901", 0),
        (SLOWLY.format('digitTimeout="7"'), "123", 7),
    ],
)
def test_typing_ends_with_enough_digits_or_a_pause(document: str, keys: str, seconds: int) -> None:
    call, script, rosas_line = rosa_calls({"/answer": document, "/typed": MENU})
    press(call, keys)
    assert script.last("/typed")["Digits"] == keys.removesuffix("#")
    assert passed(rosas_line) == seconds


@shows(b.RETRIES, b.DIGITS_TIMEOUT_AFTER_PROMPTS)
def test_get_digits_repeats_its_prompts_before_it_falls_through() -> None:
    call, _, rosas_line = rosa_calls({"/answer": SLOWLY.format('retries="3" timeout="1"'), "/silent": MENU})
    assert isinstance(call.state, AwaitingKeys)
    assert isinstance(call.state.element, GetDigits)
    silence(call)
    assert passed(rosas_line) == pytest.approx(3 * (1.1 + 1))
    assert texts(call) == ["Your digits", "Your digits", "Press one"]


@shows(b.INVALID_KEY)
def test_a_key_that_get_digits_does_not_take_is_ignored() -> None:
    call, script, _ = rosa_calls(
        {"/answer": SLOWLY.format('validDigits="12" numDigits="2"'), "/typed": MENU, "/silent": MENU}
    )
    press(call, "132")
    assert script.last("/typed")["Digits"] == "12"
    assert "InputType" not in script.last("/typed")
    call, script, _ = rosa_calls({"/answer": SLOWLY.format('validDigits="12"'), "/silent": MENU})
    press(call, "3")
    assert script.count("/typed") == 0


@shows(b.NO_ACTION)
def test_get_digits_without_an_action_goes_on() -> None:
    call, script, _ = rosa_calls(
        {"/answer": f"<GetDigits numDigits='1'/><Redirect>{HOST}/silent</Redirect>", "/silent": BYE}
    )
    press(call, "1")
    assert script.count("/silent") == 1


@shows(b.REDIRECT_FALSE)
def test_redirect_false_tells_the_action_and_goes_on() -> None:
    pages = {"/answer": TYPED.format('redirect="false"'), "/typed": "<Speak>Never heard</Speak>", "/silent": BYE}
    call, script, _ = rosa_calls(pages)
    press(call, "1#")
    assert script.last("/typed")["Digits"] == "1"
    assert texts(call) == ["Goodbye"]


@shows(b.REDIRECT_LOOP)
@pytest.mark.parametrize("before", ["", "<Wait/>"])
def test_documents_that_leave_no_chance_to_press_a_key_are_an_error(before: str) -> None:
    with pytest.raises(CarrierRefused, match="in a row"):
        rosa_calls({"/answer": f"{before}<Redirect>{HOST}/answer</Redirect>"})


def test_a_line_that_listens_in_between_may_go_on_for_ever() -> None:
    call, _, _ = rosa_calls({"/answer": MENU, "/silent": MENU})
    for _ in range(200):
        silence(call)
    assert isinstance(call.state, AwaitingKeys)


@shows(b.HANGUP)
def test_hangup_ends_the_call_and_nothing_after_it_runs() -> None:
    call, script, _ = rosa_calls({"/answer": f"<Speak>Bye</Speak><Hangup/><Redirect>{HOST}/next</Redirect>"})
    assert call.state == Over("line", "NORMAL_CLEARING")
    assert script.count("/next") == 0


@shows(b.HANGUP_REJECTS)
@pytest.mark.parametrize(("attribute", "cause"), [("", "CALL_REJECTED"), ('reason="busy"', "USER_BUSY")])
def test_hangup_before_anything_else_rejects_the_call(attribute: str, cause: str) -> None:
    call, script, _ = rosa_calls({"/answer": f"<Hangup {attribute}/>"})
    assert call.state == Over("line", cause)
    assert (script.last("/hangup")["HangupCause"], script.last("/hangup")["Duration"]) == (cause, "0")


@shows(b.HANGUP_WEBHOOK)
def test_rosa_may_hang_up_at_any_wait() -> None:
    call, script, rosas_line = rosa_calls({"/answer": MENU})
    rosas_line.clock.advance(timedelta(seconds=61))
    asyncio.run(call.hang_up())
    assert call.state == Over("caller", "NORMAL_CLEARING")
    gone = script.last("/hangup")
    assert (gone["HangupSource"], gone["Duration"], gone["BillDuration"]) == ("Caller", "61", "120")
    for again in (call.hang_up(), call.press("1"), call.silence()):
        with pytest.raises(RuntimeError, match="over"):
            asyncio.run(again)


@shows(b.HANGUP_TO_ANSWER_URL)
def test_without_a_hangup_url_the_hang_up_comes_to_the_answer_url() -> None:
    call, script, _ = rosa_calls({"/answer": MENU}, hangup_url=None)
    asyncio.run(call.hang_up())
    assert script.count("/answer") == 2
    assert script.last("/answer")["Event"] == "Hangup"


@pytest.mark.parametrize("keys", ["", "a", "1 2", "+"])
def test_what_is_not_a_key_cannot_be_pressed(keys: str) -> None:
    call, _, _ = rosa_calls({"/answer": MENU})
    with pytest.raises(ValueError, match="not keys"):
        press(call, keys)
    assert isinstance(call.state, AwaitingKeys)


def test_a_key_cannot_be_pressed_after_the_input_is_over() -> None:
    call, _, _ = rosa_calls({"/answer": MENU, "/chosen": MENU})
    with pytest.raises(ValueError, match="silence"):
        press(call, "1", after=6.0)
    press(call, "1", after=5.5)


def test_a_webhook_can_come_again_late_or_doubled_and_the_call_does_not_notice() -> None:
    script = Script(
        {"/answer": MENU, "/chosen": lambda fields: BYE if fields["Digits"] == "9" else MENU, "/hangup": ""}
    )
    call = asyncio.run(line(script).call())
    press(call, "1")
    before = call.state, call.heard
    same = asyncio.run(call.redeliver(1))
    late = asyncio.run(call.redeliver(0, fresh_nonce=True))
    assert call.exchange[1].reply == same
    assert call.exchange[0].reply == late
    assert call.exchange[2] == call.exchange[1]
    assert call.exchange[3].body == call.exchange[0].body
    assert call.exchange[3].headers != call.exchange[0].headers
    assert (call.state, call.heard) == before
    press(call, "9")
    assert texts(call) == ["Goodbye"]


def test_every_byte_of_a_call_is_kept() -> None:
    call, script, rosas_line = rosa_calls({"/answer": MENU, "/chosen": BYE})
    press(call, "1")
    assert [one.url.removeprefix(HOST) for one in call.exchange] == [path for path, _ in script.asked]
    assert [parse_form(one.body) for one in call.exchange] == [fields for _, fields in script.asked]
    assert all(one.reply and one.reply.body.startswith(b"<Response>") for one in call.exchange)
    assert rosas_line.clock.now() > BEGINNING


def test_a_play_takes_as_long_as_its_sound() -> None:
    call, _, rosas_line = rosa_calls(
        {"/answer": f"<Play loop='2'>{HOST}/a.mp3</Play>"}, sound=lambda url: len(url) * 1.0
    )
    assert call.heard == (Play(f"{HOST}/a.mp3", 2),)
    assert passed(rosas_line) == 2 * len(f"{HOST}/a.mp3")
