"""The caller's door, called by a carrier: signed webhooks in, documents out."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.app import Parts, build
from ivr.carrier.documents import Dial, GetInput, Hangup, Redirect, Speak, read
from ivr.carrier.leg import WITHHELD_CALLERS
from ivr.carrier.loopback import Line, PhoneCall
from ivr.carrier.states import AwaitingKeys, Over, Ringing
from ivr.carrier.transport import AsgiTransport
from ivr.carrier.webhooks import Exchange
from ivr.kit.clock import VirtualClock
from ivr.services.rehearsal import Memory
from ivr.store.database import Database
from ivr.vault.organisation import Pin
from tests.engine.caller import NOON
from tests.shipped import ROOT, flow, staff, text

URL = "https://line.example.org"
HANGUP = f"{URL}/voice/hangup"
TOKEN = "a-carrier-token"
BO = "+12125550142"


class House:
    """A line over ASGI with a world in memory, and a carrier that calls it."""

    def __init__(self, folder: Path, *, on_duty: tuple[str, ...] = (), hangup_url: str | None = HANGUP) -> None:
        self.clock = VirtualClock(NOON)
        self.world = Memory(on_duty)
        parts = Parts(
            flow=flow(),
            staff=staff(),
            database=Database(f"sqlite:///{folder / 'unused.db'}"),
            spool=Database(f"sqlite:///{folder / 'unused too.db'}"),
            live=Database(f"sqlite:///{folder / 'live.db'}"),
            secret=bytes(32),
            pin=Pin(bytes(32)),
            carrier_token=TOKEN,
            public_url=URL,
            number="+15005550006",
            keys=folder / "run",
            recordings=ROOT / "prompts" / "audio",
            duty_numbers=on_duty,
        )
        self.app = build(parts, self.clock, lambda _: self.world)
        self.line = Line(f"{URL}/voice/answer", hangup_url, TOKEN, AsgiTransport(self.app), self.clock)


def said(call: PhoneCall) -> str:
    return " ".join(sound.text for sound in call.heard if isinstance(sound, Speak))


def calls(house: House, story: Callable[[PhoneCall], Awaitable[None]], **how: str) -> PhoneCall:
    async def live() -> PhoneCall:
        call = await house.line.call(**how)  # type: ignore[arg-type]
        await story(call)
        return call

    return asyncio.run(live())


def reply(exchange: Exchange) -> bytes:
    assert exchange.reply is not None
    return exchange.reply.body


async def presses(call: PhoneCall, keys: str) -> None:
    for word in keys.split():
        await call.press(word)


def test_a_report_is_made_by_signed_webhooks(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def story(rosa: PhoneCall) -> None:
        await presses(rosa, "2 1 2 1 # 1 1")
        assert said(rosa).startswith(text("es", "line.saved"))
        await rosa.hang_up()

    calls(house, story)
    [report] = house.world.reports.values()
    assert dict(report.answers) == {"what": ("taken",), "when": ("today",)}


def test_silence_is_a_redirect_and_is_met_with_the_question(tmp_path: Path) -> None:
    async def story(rosa: PhoneCall) -> None:
        await presses(rosa, "1")
        await rosa.silence()
        assert text("en", "line.silence") in said(rosa)

    calls(House(tmp_path), story)


def test_digits_end_with_pound_and_leave_room_for_it(tmp_path: Path) -> None:
    async def story(rosa: PhoneCall) -> None:
        await presses(rosa, "1 1 # 1 1 # # # # # # # # #")
        assert isinstance(rosa.state, AwaitingKeys)
        assert rosa.state.element.num_digits == 16
        await rosa.press("2125550143#")
        assert "2 1 2, 5 5 5, 0 1 4 3" in said(rosa)

    calls(House(tmp_path), story)


def test_a_person_is_rung_with_the_hotlines_number_behind_a_neutral_question(tmp_path: Path) -> None:
    house = House(tmp_path, on_duty=(BO,))

    async def story(rosa: PhoneCall) -> None:
        await presses(rosa, "1 0")
        assert text("en", "line.dialling").split("{")[0] in said(rosa)
        await rosa.silence()
        assert isinstance(rosa.state, Ringing)
        assert (rosa.state.shown_number, rosa.state.shown_name) == ("+15005550006", "Porchlight")
        assert rosa.state.dial.numbers == (BO,)
        await rosa.dial_ends("completed")
        assert text("en", "after_talk") in said(rosa)

    call = calls(house, story)
    whispered = " ".join(sound.text for sound in call.whispered if isinstance(sound, Speak))
    assert text("en", "line.confirm").split("{")[0] in whispered
    assert text("es", "line.confirm").split("{")[0] in whispered


@pytest.mark.parametrize("outcome", ["busy", "no-answer", "failed", "timeout", "cancel", "unconfirmed"])
def test_if_nobody_takes_the_call_she_is_offered_something_else(tmp_path: Path, outcome: str) -> None:
    async def story(rosa: PhoneCall) -> None:
        await presses(rosa, "1 0")
        await rosa.silence()
        await rosa.dial_ends(outcome)  # type: ignore[arg-type]
        assert isinstance(rosa.state, AwaitingKeys)
        assert text("en", "nobody_free") in said(rosa)

    calls(House(tmp_path, on_duty=(BO,)), story)


def test_a_hang_up_that_comes_to_the_answer_url_starts_no_call(tmp_path: Path) -> None:
    house = House(tmp_path, hangup_url=None)

    async def story(rosa: PhoneCall) -> None:
        await rosa.hang_up()

    call = calls(house, story)
    assert b"<Response/>" in reply(call.exchange[-1])


@pytest.mark.parametrize("number", WITHHELD_CALLERS)
def test_a_withheld_number_is_as_welcome_as_any(tmp_path: Path, number: str) -> None:
    async def story(rosa: PhoneCall) -> None:
        await presses(rosa, "1 1")
        assert text("en", "bad_date.what") in said(rosa)

    calls(House(tmp_path), story, caller=number)


def test_a_doubled_answer_webhook_gets_the_same_bytes_minutes_later(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def live() -> None:
        rosa = await house.line.call()
        first = reply(rosa.exchange[0])
        house.clock.at = NOON + timedelta(minutes=4)
        assert (await rosa.redeliver(0)).body == first

    asyncio.run(live())


def test_a_doubled_webhook_gets_the_same_bytes(tmp_path: Path) -> None:
    async def story(rosa: PhoneCall) -> None:
        await presses(rosa, "1 1 2 1 # 1")
        for number, exchange in enumerate(rosa.exchange[:]):
            assert (await rosa.redeliver(number, fresh_nonce=True)).body == reply(exchange)

    calls(House(tmp_path), story)


def test_a_call_whose_key_is_gone_gets_an_apology_in_both_languages_and_a_person(tmp_path: Path) -> None:
    house = House(tmp_path, on_duty=(BO,))

    async def live() -> None:
        rosa = await house.line.call()
        house.clock.advance(timedelta(hours=13))
        await rosa.press("1")
        assert text("en", "line.trouble") in said(rosa)
        assert text("es", "line.trouble") in said(rosa)
        assert not rosa.dials, "nobody knows how old this webhook is"
        await rosa.silence()
        assert text("en", "line.dialling").partition("{")[0] in said(rosa)
        await rosa.silence()
        assert isinstance(rosa.state, Ringing)
        assert rosa.state.dial.numbers == (BO,)
        await rosa.dial_ends("no-answer")
        assert said(rosa).startswith(text("en", "nobody_free"))
        await rosa.press("*")
        assert said(rosa).startswith(text("en", "greeting"))

    asyncio.run(live())


def test_the_call_ends_with_a_word(tmp_path: Path) -> None:
    async def story(rosa: PhoneCall) -> None:
        await presses(rosa, "1 9")
        assert said(rosa) == text("en", "goodbye")
        assert isinstance(rosa.state, Over)

    call = calls(House(tmp_path), story)
    last = read(reply(call.exchange[-2]), "application/xml")
    assert [type(element) for element in last] == [Speak, Hangup]


def test_a_wait_is_a_get_input_with_everything_inside_and_a_redirect_behind(tmp_path: Path) -> None:
    async def story(rosa: PhoneCall) -> None:
        await presses(rosa, "1")

    call = calls(House(tmp_path), story)
    wait, behind = read(reply(call.exchange[-1]), "application/xml")
    assert isinstance(wait, GetInput)
    assert (wait.num_digits, wait.finish_on_key, wait.log) == (1, "", False)
    assert isinstance(behind, Redirect)
    for url in (wait.action, behind.url):
        assert url.endswith("#ct=1000&rt=3000&rc=3&rp=all")


def test_a_dial_never_shows_the_caller(tmp_path: Path) -> None:
    async def story(rosa: PhoneCall) -> None:
        await presses(rosa, "1 0 5")

    call = calls(House(tmp_path, on_duty=(BO,)), story)
    dial = next(part for part in read(reply(call.exchange[-1]), "application/xml") if isinstance(part, Dial))
    assert (dial.caller_id, dial.caller_name) == ("+15005550006", "Porchlight")
    assert (dial.confirm_key, dial.confirm_timeout) == ("1", 15)
    assert dial.confirm_sound is not None
