"""A call's token: it comes back whole, only in its own call, and only with its period's key."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.vault.tokens import MAX_PLAINTEXT, MAX_TOKEN, TokenKey, TokenTooLong, kid_of, token_keys

KEY = TokenKey.of(7, b"k" * 32)
ANA = KEY.bind("5b1c7f0a-ana")
BO = KEY.bind("5b1c7f0a-bo")
URL_SAFE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

calls = st.binary(max_size=MAX_PLAINTEXT)


@given(calls)
def test_a_call_comes_back_as_it_was(call: bytes) -> None:
    assert KEY.open(KEY.seal(call, call=ANA), call=ANA) == call


@given(calls)
def test_the_same_turn_gives_the_same_bytes(call: bytes) -> None:
    assert KEY.seal(call, call=ANA) == TokenKey.of(7, b"k" * 32).seal(call, call=ANA)


@given(calls)
def test_a_token_is_worthless_in_another_call(call: bytes) -> None:
    token = KEY.seal(call, call=ANA)
    assert KEY.open(token, call=BO) is None
    assert token[8:] != KEY.seal(call, call=BO)[8:]


@given(calls)
def test_there_are_two_lengths_and_both_fit_a_url(call: bytes) -> None:
    token = KEY.seal(call, call=ANA)
    assert len(token) == (400 if len(call) < 256 else 742) < MAX_TOKEN
    assert set(token) <= URL_SAFE


@given(calls, st.data())
def test_any_changed_character_is_refused(call: bytes, data: st.DataObject) -> None:
    token = KEY.seal(call, call=ANA)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([*sorted(URL_SAFE | set("+/=. é")), ""]).filter(lambda c: c != token[place]))
    assert KEY.open(token[:place] + other + token[place + 1 :], call=ANA) is None


def test_every_single_bit_counts() -> None:
    token = KEY.seal(b"turn 3", call=ANA)
    alphabet = sorted(URL_SAFE)
    for place in range(len(token)):
        for other in alphabet[:: 1 if place in (0, len(token) - 1) else 9]:
            if other != token[place]:
                assert KEY.open(token[:place] + other + token[place + 1 :], call=ANA) is None


@given(st.text() | st.text(alphabet=sorted(URL_SAFE), max_size=1200))
def test_garbage_opens_as_nothing(garbage: str) -> None:
    assert KEY.open(garbage, call=ANA) is None
    kid_of(garbage)


@given(calls)
def test_a_shortened_or_lengthened_token_is_refused(call: bytes) -> None:
    token = KEY.seal(call, call=ANA)
    for other in (token[:-1], token[:-4], token + "A", token + "AAAA", token + "=", token + "\n", token * 2):
        assert KEY.open(other, call=ANA) is None


def test_another_period_s_key_does_not_open_it() -> None:
    token = KEY.seal(b"turn 3", call=ANA)
    other = TokenKey.of(7, b"o" * 32)
    assert other.open(token, call=other.bind("5b1c7f0a-ana")) is None
    assert TokenKey.of(8, b"k" * 32).open(token, call=ANA) is None


@given(st.integers(0, 2**32 - 1))
def test_a_token_names_its_key(kid: int) -> None:
    key = TokenKey.of(kid, b"k" * 32)
    assert kid_of(key.seal(b"", call=ANA)) == kid


def test_only_text_that_could_be_a_token_names_a_key() -> None:
    assert [kid_of(text) for text in ("", "A", "é" * 400, "A" * (MAX_TOKEN + 1))] == [None] * 4


def test_a_call_that_is_too_long_says_so() -> None:
    KEY.seal(b"x" * 511, call=ANA)
    with pytest.raises(TokenTooLong, match="at most 511"):
        KEY.seal(b"x" * 512, call=ANA)


def test_no_key_is_shown_by_accident() -> None:
    assert repr(KEY) == "TokenKey(kid=7)"


def test_a_call_keeps_the_key_it_began_with_for_four_hours_and_it_is_gone_after_twelve(tmp_path: Path) -> None:
    keys = token_keys(tmp_path)
    period = datetime(2026, 11, 22, 6, tzinfo=UTC)
    began = period + timedelta(hours=5, minutes=59)
    key = keys.current(began)
    token = key.seal(b"turn 1", call=key.bind("ana"))
    kid = kid_of(token)
    assert kid is not None
    assert keys.get(kid, now=began + timedelta(hours=4)) is key
    assert keys.current(began + timedelta(hours=4)) is not key
    assert keys.get(kid, now=period + timedelta(hours=12)) is None


def test_sealing_and_opening_are_fast() -> None:
    """The aim is 15 microseconds each; the limit here leaves room for a busy machine and still catches a blunder."""

    def best(turns: int = 500) -> float:
        begun = time.perf_counter()
        for _ in range(turns):
            KEY.open(KEY.seal(b"x" * 200, call=ANA), call=ANA)
        return (time.perf_counter() - begun) / turns

    assert min(best() for _ in range(5)) < 150e-6
