"""What the loopback carrier does when Rosa's line fails it: tries again, falls back, ends the call, or shows why."""

import asyncio

import pytest

from ivr.carrier import behaviours as b
from ivr.carrier.loopback import CarrierRefused, PhoneCall
from ivr.carrier.states import AwaitingKeys, Over
from ivr.carrier.transport import Unreachable
from tests.carrier.scripted import HOST, Pages, passed, rosa_calls
from tests.carrier.shows import shows

MENU = f'<GetInput action="{HOST}/chosen" numDigits="1"><Speak>Press one</Speak></GetInput>'


def press(call: PhoneCall, keys: str) -> None:
    asyncio.run(call.press(keys))


@shows(b.RETRIED, b.SAME_BYTES_RETRIED)
def test_a_failing_webhook_is_sent_again_as_its_url_says() -> None:
    pages: Pages = {
        "/answer": MENU.replace("/chosen", "/chosen#ct=1000&amp;rt=3000&amp;rc=3&amp;rp=all"),
        "/chosen": [Unreachable("ct"), Unreachable("rt"), 503, MENU],
    }
    call, _, rosas_line = rosa_calls(pages)
    press(call, "1")
    assert isinstance(call.state, AwaitingKeys)
    tries = call.exchange[1:]
    assert [one.reply.status if one.reply else None for one in tries] == [None, None, 503, 200]
    assert len({(one.body, one.headers) for one in tries}) == 1
    assert passed(rosas_line) == 1 + 3


@shows(b.RETRIED)
def test_without_a_policy_an_error_is_not_tried_again() -> None:
    call, script, _ = rosa_calls({"/answer": MENU, "/chosen": [503, MENU]})
    with pytest.raises(CarrierRefused, match="503"):
        press(call, "1")
    assert script.count("/chosen") == 1


@shows(b.UNREACHABLE_ENDS)
@pytest.mark.parametrize(("fragment", "tries"), [("", 2), ("#rc=0", 1), ("#rp=5xx&amp;rc=5", 1), ("#rc=5", 6)])
def test_a_webhook_that_stays_unanswered_ends_the_call(fragment: str, tries: int) -> None:
    pages: Pages = {"/answer": MENU.replace("/chosen", f"/chosen{fragment}"), "/chosen": Unreachable("rt")}
    call, script, _ = rosa_calls(pages)
    press(call, "1")
    assert call.state == Over("carrier", "REQUEST_FAILED")
    assert script.count("/chosen") == tries
    assert script.last("/hangup")["HangupSource"] == "Plivo"


def test_a_line_that_is_down_takes_no_calls_and_no_hang_ups() -> None:
    call, _, _ = rosa_calls({"/answer": Unreachable("ct"), "/hangup": Unreachable("ct")})
    assert call.state == Over("carrier", "REQUEST_FAILED")
    assert all(one.reply is None for one in call.exchange)


@shows(b.FALLBACK)
@pytest.mark.parametrize("failure", [Unreachable("rt"), 500, "<Say>Hello</Say>"])
def test_the_fallback_answers_when_the_answer_url_does_not(failure: Exception | int | str) -> None:
    call, script, _ = rosa_calls({"/answer": failure, "/static": MENU}, fallback_answer_url=f"{HOST}/static")
    assert isinstance(call.state, AwaitingKeys)
    assert script.last("/static")["Event"] == "StartApp"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (500, "status is 500"),
        (302, "status is 302"),
        ("<Say>Hello</Say>", "<Say> is not known"),
        ('<Speak loop="0">Hello</Speak>', "for ever is not imitated"),
        (f'<GetInput action="{HOST}/a"><Play loop="0">{HOST}/b.mp3</Play></GetInput>', "for ever is not imitated"),
        (f'<GetInput action="{HOST}/a" inputType="speech"/>', "speech is not imitated"),
        ("<Conference>room</Conference>", "one phone alone meets nobody"),
        ('<Hangup schedule="60"/>', "schedule is not imitated"),
        (f'<Dial callbackUrl="{HOST}/a"><Number>12125550111</Number></Dial>', "callbackUrl is not imitated"),
    ],
)
def test_an_answer_that_the_carrier_does_not_take_is_an_error_that_shows_it(document: str | int, reason: str) -> None:
    with pytest.raises(CarrierRefused) as refused:
        rosa_calls({"/answer": document})
    assert reason in refused.value.reason
    assert refused.value.url == f"{HOST}/answer"
    assert refused.value.body == (f"<Response>{document}</Response>".encode() if isinstance(document, str) else b"")


def test_after_a_refused_answer_the_call_is_over() -> None:
    call, _, _ = rosa_calls({"/answer": MENU, "/chosen": "<Say>Hello</Say>"})
    with pytest.raises(CarrierRefused):
        press(call, "1")
    assert call.state == Over("carrier", "REQUEST_FAILED")


def test_a_hang_up_that_is_answered_with_an_error_is_an_error() -> None:
    call, _, _ = rosa_calls({"/answer": MENU, "/hangup": 500})
    with pytest.raises(CarrierRefused, match="500"):
        asyncio.run(call.hang_up())
