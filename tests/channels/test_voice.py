"""A turn as the phone company's XML: every effect, recordings, voices, and what is remembered of a caller (nothing)."""

from dataclasses import replace

import pytest

from ivr.carrier.documents import Dial, GetDigits, GetInput, Hangup, Play, Redirect, Speak, read
from ivr.channels.voice import Addresses, Voice, decode_dial, decode_keys
from ivr.engine.effects import HangUp, Turn
from ivr.engine.inputs import FellSilent, Pressed, Returned
from ivr.flow.graph import Flow
from ivr.flow.phrases import Label, Labels, phrase
from ivr.flow.prompts import Prompt, Template
from ivr.services.rehearsal import Memory
from tests.engine.caller import Caller
from tests.shipped import flow, text

HERE = Addresses("https://line.example.org", "+15005550006", "Porchlight")
TOKEN = "a-token_1"
NASTY = {"mates": "<Tom> & Tim", "knives": "knives"}


def document(rosa: Caller, spoken: Flow | None = None) -> tuple[object, ...]:
    return read(Voice(spoken or flow(), HERE).encode(rosa.turn, TOKEN), "application/xml")


def recorded(prompt: str) -> Flow:
    """The shipped flow with one prompt as a recording of two seconds."""
    catalogues = {name: replace(one, recordings={prompt: 2.0}) for name, one in flow().catalogues.items()}
    return replace(flow(), catalogues=catalogues)


def spoken_by(voice: str) -> Flow:
    catalogues = {name: replace(one, voice=voice) for name, one in flow().catalogues.items()}
    return replace(flow(), catalogues=catalogues)


def test_a_menu_waits_for_one_key_and_nothing_is_logged() -> None:
    wait, behind = document(Caller().presses("1"))
    assert isinstance(wait, GetInput)
    assert (wait.num_digits, wait.execution_timeout, wait.finish_on_key, wait.log) == (1, 8, "", False)
    assert wait.action.startswith(f"https://line.example.org/voice/keys/{TOKEN}#")
    assert isinstance(behind, Redirect)
    assert behind.url.startswith(f"https://line.example.org/voice/silence/{TOKEN}#")


def test_digits_are_waited_for_with_a_place_for_pound() -> None:
    wait = document(Caller().presses("1 1 # 1 1 # # # # # # # # #"))[0]
    assert isinstance(wait, GetInput)
    assert (wait.num_digits, wait.digit_end_timeout, wait.execution_timeout) == (16, 4, 10)


def test_the_announcement_of_ringing_can_be_interrupted_and_then_phones_ring() -> None:
    announced, dial, behind = document(Caller(world=Memory(("+12125550142",))).presses("1 0"))
    assert isinstance(announced, GetDigits)
    assert (announced.timeout, announced.retries, announced.log) == (1, 1, False)
    assert isinstance(dial, Dial)
    assert (dial.numbers, dial.timeout) == (("+12125550142",), 20)
    assert isinstance(behind, Redirect)


def test_the_end_is_a_word_and_a_hang_up() -> None:
    word, end = document(Caller().presses("9"))
    assert isinstance(word, Speak)
    assert isinstance(end, Hangup)


def test_each_language_is_spoken_by_its_own_voice() -> None:
    wait = document(Caller())[0]
    assert isinstance(wait, GetInput)
    spoken = [(part.voice, part.language) for part in wait.prompts if isinstance(part, Speak)]
    assert spoken == [("Polly.Joanna-Standard", "en-US"), ("Polly.Lupe-Standard", "es-US")]


def test_a_recording_is_played_in_place_of_the_voice() -> None:
    wait = document(Caller().presses("1"), recorded("safety"))[0]
    assert isinstance(wait, GetInput)
    played, spoken = wait.prompts
    assert isinstance(played, Play)
    assert played.url == "https://line.example.org/voice/audio/en/safety.mp3"
    assert isinstance(spoken, Speak)
    assert text("en", "main.report") in spoken.text


@pytest.mark.parametrize("voice", ["WOMAN", "MAN"])
def test_a_plain_voice_gets_plain_text(voice: str) -> None:
    wait = document(Caller().presses("1"), spoken_by(voice))[0]
    assert isinstance(wait, GetInput)
    [spoken] = wait.prompts
    assert isinstance(spoken, Speak)
    assert (spoken.voice, spoken.language) == (voice, "en-US")
    assert text("en", "safety") in spoken.text


def test_what_a_caller_did_is_not_remembered() -> None:
    voice = Voice(flow(), HERE)
    way = ("1", "1", "2", "1", "#", "1", "1", *"#########")
    rosa, ana = Caller(), Caller()
    for key in (*way, "2125550143#"):
        rosa.presses(key)
        assert TOKEN.encode() in voice.encode(rosa.turn, TOKEN)
    assert any(said.is_private for said in rosa.turn.said)
    remembered = voice._remembered.cache_info()  # the only place where it could be remembered
    for key in (*way, "7185550164#"):
        ana.presses(key)
    document = voice.encode(ana.turn, TOKEN).decode()
    assert "7 1 8, 5 5 5, 0 1 6 4" in document
    assert "2 1 2" not in document
    assert voice._remembered.cache_info().misses == remembered.misses


def test_what_is_a_callers_own_is_escaped_like_all_else() -> None:
    named = phrase("line.you_said", answers=Labels(tuple(map(Label, NASTY))))
    catalogue = flow().catalogues["en"]
    labels = {name: Prompt(Template(words), Template(words)) for name, words in NASTY.items()}
    prompts = {**catalogue.prompts, **labels}
    voice = Voice(replace(flow(), catalogues={"en": replace(catalogue, prompts=prompts)}), HERE)
    document = voice.encode(Turn(Caller().turn.call, (named,), HangUp()), TOKEN).decode()
    assert "&lt;Tom&gt; &amp; Tim, knives" in document


def test_the_same_turn_with_another_token_differs_in_the_token_only() -> None:
    voice, rosa = Voice(flow(), HERE), Caller()
    first, second = voice.encode(rosa.turn, "first-token"), voice.encode(rosa.turn, "second-token")
    assert first.replace(b"first-token", b"second-token") == second


@pytest.mark.parametrize(
    ("status", "talked"),
    [
        ("completed", True), ("something-new", True), ("", True),
        ("busy", False), ("failed", False), ("cancel", False), ("timeout", False), ("no-answer", False),
    ],
)  # fmt: skip
def test_a_dial_that_ended_in_a_way_nobody_knows_may_have_been_a_conversation(status: str, talked: bool) -> None:
    assert decode_dial(status) == Returned(talked)


def test_no_digits_are_silence() -> None:
    assert decode_keys("") == FellSilent()
    assert decode_keys("*") == Pressed("*")
