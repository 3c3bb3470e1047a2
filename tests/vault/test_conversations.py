"""Where a conversation lies and what opens it: both follow from the number, and from nothing that is kept."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.vault.conversations import (
    LIVES,
    MAX_PLAINTEXT,
    ROLLS,
    SEALED_SIZE,
    ConversationKey,
    ConversationTooLong,
    mark,
    text_keys,
)
from tests.vault.test_keyring import NOON, everything_in

K_TEXT, OTHER = bytes(32), bytes([1] * 32)
LUZ, ROSA = "+12125550143", "+12125550144"


def test_a_number_leads_to_its_conversation_and_opens_it() -> None:
    sealed = ConversationKey.of(K_TEXT, LUZ).seal(b"what she said")
    assert ConversationKey.of(K_TEXT, LUZ).open(sealed) == b"what she said"
    assert ConversationKey.of(K_TEXT, LUZ).id == ConversationKey.of(K_TEXT, LUZ).id


@pytest.mark.parametrize(("k_text", "number"), [(K_TEXT, ROSA), (OTHER, LUZ), (K_TEXT, LUZ[1:])])
def test_another_number_or_another_hour_finds_nothing_and_opens_nothing(k_text: bytes, number: str) -> None:
    key, other = ConversationKey.of(K_TEXT, LUZ), ConversationKey.of(k_text, number)
    assert key.id != other.id
    assert other.open(key.seal(b"what she said")) is None


@given(st.binary(max_size=MAX_PLAINTEXT))
def test_every_conversation_has_one_length_and_survives(plaintext: bytes) -> None:
    key = ConversationKey.of(K_TEXT, LUZ)
    sealed = key.seal(plaintext)
    assert len(sealed) == SEALED_SIZE
    assert key.open(sealed) == plaintext


def test_the_same_conversation_is_never_sealed_alike_twice() -> None:
    key = ConversationKey.of(K_TEXT, LUZ)
    assert key.seal(b"x") != key.seal(b"x")


def test_one_that_is_too_long_is_refused() -> None:
    with pytest.raises(ConversationTooLong):
        ConversationKey.of(K_TEXT, LUZ).seal(bytes(MAX_PLAINTEXT + 1))


@given(st.data())
def test_what_was_altered_does_not_open(data: st.DataObject) -> None:
    key = ConversationKey.of(K_TEXT, LUZ)
    sealed = bytearray(key.seal(b"what she said"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    assert key.open(bytes(sealed)) is None
    assert key.open(bytes(sealed[:-1])) is None


def test_neither_number_nor_id_of_a_text_shows_in_what_it_leads_to() -> None:
    key = ConversationKey.of(K_TEXT, LUZ)
    assert LUZ.encode() not in key.id + key.seal(b"")
    assert LUZ not in repr(key)
    assert mark(bytes(16), "a") != mark(bytes(16), "b")
    assert mark(bytes(16), "a") != mark(bytes([1] * 16), "a")


def test_an_hour_s_key_is_gone_two_hours_after_it_began(tmp_path: Path) -> None:
    ring = text_keys(tmp_path)
    first = ring.current(NOON)
    assert list(ring.living(NOON + ROLLS)) == [first]
    assert list(ring.living(NOON + LIVES)) == []
    assert everything_in(tmp_path)
    ring.sweep(NOON + LIVES)
    assert everything_in(tmp_path).strip(b"\0") == b""
