"""How many messages a text takes: 3GPP TS 23.038, to the character."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.flow.segments import BASIC, EXTENSION, Segments, is_gsm, segments


def test_the_alphabet_has_its_128_places_one_of_which_is_the_escape() -> None:
    assert len(BASIC) == 127
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION


@pytest.mark.parametrize("sign", "éñüÑÜÉ¿¡àèìòùÇ@£\n")
def test_these_cost_one_place(sign: str) -> None:
    assert segments(sign) == Segments("GSM-7", 1, 1)


@pytest.mark.parametrize("sign", "^{}[]~\\|€\f")
def test_these_cost_two(sign: str) -> None:
    assert segments(sign) == Segments("GSM-7", 2, 1)


@pytest.mark.parametrize("sign", "áíóúÁÍÓÚç’“–…`\t😀")
def test_one_of_these_makes_the_whole_text_dear(sign: str) -> None:
    assert segments("a" * 100 + sign).encoding == "UCS-2"
    assert segments("a" * 100 + sign).because == sign
    assert segments("a" * 100 + sign).messages == 2
    assert not is_gsm(sign)


@pytest.mark.parametrize(
    ("text", "messages", "characters"),
    [
        ("", 0, 0),
        ("a" * 160, 1, 160),
        ("a" * 161, 2, 161),
        ("a" * 306, 2, 306),
        ("a" * 307, 3, 307),
        ("a" * 158 + "€", 1, 160),
        ("a" * 159 + "€", 2, 161),
        ("a" * 152 + "€" + "a" * 152, 3, 306),  # the escape is not cut from what it escapes
        ("a" * 151 + "€" + "a" * 153, 2, 306),
        ("á" * 70, 1, 70),
        ("á" * 71, 2, 71),
        ("á" * 134, 2, 134),
        ("á" * 135, 3, 135),
        ("😀" * 35, 1, 70),
        ("á" + "😀" * 35, 2, 71),
        ("😀" * 67, 3, 134),  # 33 whole ones in each part of 67
        ("á€", 1, 2),  # nothing is escaped in UCS-2
    ],
)
def test_what_fits(text: str, messages: int, characters: int) -> None:
    size = segments(text)
    assert (size.messages, size.characters) == (messages, characters)


def test_what_makes_it_dear_is_named_once_in_its_order() -> None:
    assert segments("más allá, más acá, aquí").because == "áí"


@given(st.text(alphabet=st.one_of(st.sampled_from("aé€á😀\n"), st.characters()), max_size=600))
def test_any_text_costs_about_its_share(text: str) -> None:
    size = segments(text)
    alone, in_part = {"GSM-7": (160, 153), "UCS-2": (70, 67)}[size.encoding]
    assert (size.messages <= 1) == (size.characters <= alone)
    if size.messages > 1:
        assert size.messages >= Fraction(size.characters, in_part)
        assert size.messages - 1 < Fraction(size.characters, in_part - 1)
    assert (size.encoding == "GSM-7") == is_gsm(text) == (size.because == "")
