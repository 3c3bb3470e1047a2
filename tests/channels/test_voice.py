"""A turn as the phone company's XML: every effect, recordings, voices, and what is remembered of a caller (nothing)."""

from dataclasses import replace

import pytest

from ivr.carrier.documents import Conference, Dial, GetDigits, GetInput, Hangup, Play, Redirect, Speak, read
from ivr.channels.voice import PATIENT, Addresses, Voice, decode_dial, decode_keys
from ivr.engine.effects import Connect, Effect, HandOver, HangUp, Hold, Meet, Turn
from ivr.engine.inputs import FellSilent, Pressed, Returned
from ivr.flow.graph import Flow
from ivr.flow.phrases import Label, Labels, Number, Phrase, phrase
from ivr.flow.prompts import Prompt, Template
from ivr.flow.rules import hold_too_long
from ivr.oncall.ladder import ASKS_EVERY
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
    assert spoken == [("Polly.Joanna", "en-US"), ("Polly.Penelope", "es-US")]


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


# ---- a person ----

CALL = Caller().turn.call
STAFF_HERE = replace(HERE, door="staff")


def drawn(then: Effect, *said: Phrase, at: Addresses = HERE) -> tuple[object, ...]:
    return read(Voice(flow(), at).encode(Turn(CALL, said, then), TOKEN), "application/xml")


def test_a_hold_piece_waits_one_second_after_its_words_and_asks_what_is_next() -> None:
    piece, behind = drawn(Hold(), phrase("line.holding", seconds=Number(40)))
    assert isinstance(piece, GetDigits)
    assert (piece.timeout, piece.retries, piece.num_digits, piece.finish_on_key, piece.log) == (1, 1, 1, "", False)
    assert isinstance(piece.prompts[0], Speak)
    assert "40" in piece.prompts[0].text
    assert isinstance(behind, Redirect)
    assert behind.url.startswith(f"https://line.example.org/voice/silence/{TOKEN}#")


def test_a_piece_lasts_no_longer_than_the_ladder_counts_on() -> None:
    assert hold_too_long.MOST_SECONDS + Hold().seconds <= ASKS_EVERY.total_seconds()


@pytest.mark.parametrize("is_caller", [True, False])
def test_two_meet_in_a_conference_that_passes_no_keys_on_and_ends_with_the_caller(is_caller: bool) -> None:
    at = HERE if is_caller else STAFF_HERE
    words, room, behind = drawn(Meet("c0ffee", 900, is_caller), phrase("line.connected"), at=at)
    assert isinstance(words, Speak)
    assert isinstance(room, Conference)
    assert (room.name, room.time_limit, room.max_members) == ("c0ffee", 900, 2)
    assert (room.relay_dtmf, room.stay_alone, room.record) == (False, True, False)
    assert room.callback_url == f"https://line.example.org/{at.door}/entered/c0ffee{PATIENT}"
    assert room.wait_sound == f"https://line.example.org/voice/alone/en{PATIENT}"
    assert room.ends_on_exit is is_caller
    assert room.hangup_on_star
    talked = f"https://line.example.org/{at.door}/talked/{TOKEN}#"
    assert (room.action or "").startswith(talked)
    assert isinstance(behind, Redirect)
    assert behind.url.startswith(talked)


def test_the_other_flow_begins_at_its_own_address() -> None:
    assert drawn(HandOver(to_staff=True)) == (Redirect(HERE.handed_over(to_staff=True, token=TOKEN)),)
    (back,) = drawn(HandOver(to_staff=False), at=STAFF_HERE)
    assert isinstance(back, Redirect)
    assert back.url.startswith(f"https://line.example.org/voice/again/{TOKEN}#")


def test_a_partner_hears_no_question_and_sees_the_hotline() -> None:
    dial = drawn(Connect(("+12125550123",), 30, 900, is_outside=True))[0]
    assert isinstance(dial, Dial)
    assert (dial.confirm_key, dial.confirm_sound) == (None, None)
    assert (dial.caller_id, dial.caller_name, dial.hangup_on_star) == ("+15005550006", "Porchlight", True)


def test_whoever_answers_and_is_lost_is_let_go_in_every_language() -> None:
    *words, end = read(Voice(flow(), HERE).sorry(), "application/xml")
    assert [one.language for one in words if isinstance(one, Speak)] == ["en-US", "es-US"]
    assert isinstance(end, Hangup)


def test_where_two_met_is_not_remembered() -> None:
    voice, said = Voice(flow(), HERE), (phrase("line.connected"),)
    first = voice.encode(Turn(CALL, said, Meet("c0ffee01c0ffee01c0ffee01", 900, True)), TOKEN)
    remembered = voice._remembered.cache_info()  # the only place where it could be remembered
    second = voice.encode(Turn(CALL, said, Meet("5ad0c1f3e8b94b7d90a1c2e3", 900, True)), TOKEN)
    assert first.replace(b"c0ffee01c0ffee01c0ffee01", b"5ad0c1f3e8b94b7d90a1c2e3") == second != first
    assert voice._remembered.cache_info().misses == remembered.misses
