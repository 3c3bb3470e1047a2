"""A body opens for the epoch's private key and for nothing else, and its size says nothing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey

from ivr.engine.asks import Answers
from ivr.vault.sealing import (
    MAX_ENCODED,
    SEALED_KEY_SIZE,
    SEALED_SIZE,
    Body,
    BodyTooLong,
    Place,
    Sealed,
    open_body,
    seal,
)

PRIVATE = PrivateKey(b"p" * 32)
PUBLIC = bytes(PRIVATE.public_key)
PLACE = Place(id=b"i" * 16, form="bad_date", epoch="2026-11")
HANDLE = b"h" * 16

THE_LONGEST: Answers = (
    (
        "what",
        (
            *("hurt", "attack", "sexual_assault", "condom", "weapon"),
            *("robbed", "taken", "not_paid", "fake_money", "taken_back"),
            *("threats", "threatened", "followed", "filmed", "outing"),
            *("officials", "police", "guard", "manager", "posing"),
        ),
    ),
    ("when", ("longer_ago",)),
    ("part_of_day", ("afternoon",)),
    ("area", ("harbor", "fish_market")),
    ("place", ("on_the_street",)),
    ("met", ("street",)),
    ("age", ("under_25",)),
    ("build", ("muscular",)),
    ("height", ("average",)),
    ("mark", ("glasses",)),
    ("vehicle", ("pickup",)),
    ("color", ("dark", "dark_blue")),
    ("plate", ("12345678",)),
    ("phone", ("005215512345678",)),
    ("before", ("unknown",)),
)
"""Every code of the shipped form that a caller can choose at once."""

names = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=8)
answers = st.lists(st.tuples(names, st.lists(names, max_size=3).map(tuple)), max_size=12).map(tuple)


def a_body(answers: Answers = (("what", ("hurt",)),)) -> Body:
    return Body(day="2026-11-22", handle=HANDLE, answers=answers)


def opened(sealed: Sealed, place: Place = PLACE, private: PrivateKey = PRIVATE) -> Body | None:
    return open_body(sealed, place, epoch_key=bytes(private))


@given(answers)
def test_what_was_answered_comes_back(given_answers: Answers) -> None:
    body = a_body(given_answers)
    assert opened(seal(body, PLACE, epoch_key=PUBLIC)) == body


@given(answers, names)
def test_every_report_of_every_form_has_one_size(given_answers: Answers, form: str) -> None:
    sealed = seal(a_body(given_answers), replace(PLACE, form=form), epoch_key=PUBLIC)
    assert (len(sealed.body), len(sealed.key)) == (SEALED_SIZE, SEALED_KEY_SIZE) == (640, 80)


def test_the_longest_report_of_the_shipped_form_fits() -> None:
    assert opened(seal(a_body(THE_LONGEST), PLACE, epoch_key=PUBLIC)) == a_body(THE_LONGEST)


def test_a_report_that_does_not_fit_says_so() -> None:
    fits = a_body((("x", ("y" * (MAX_ENCODED - 31 - 8),)),))
    assert opened(seal(fits, PLACE, epoch_key=PUBLIC)) == fits
    with pytest.raises(BodyTooLong, match=f"take {MAX_ENCODED + 1} bytes of {MAX_ENCODED}"):
        seal(a_body((("x", ("y" * (MAX_ENCODED - 31 - 7),)),)), PLACE, epoch_key=PUBLIC)


def test_every_save_draws_a_new_key() -> None:
    one, other = seal(a_body(), PLACE, epoch_key=PUBLIC), seal(a_body(), PLACE, epoch_key=PUBLIC)
    assert one.body != other.body
    assert opened(Sealed(one.body, other.key)) is None


@pytest.mark.parametrize("change", [{"id": b"o" * 16}, {"form": "robbery"}, {"epoch": "2026-12"}])
def test_a_body_opens_nowhere_else(change: dict[str, str]) -> None:
    assert opened(seal(a_body(), PLACE, epoch_key=PUBLIC), replace(PLACE, **change)) is None  # type: ignore[arg-type]  # one column at a time, bytes or text


def test_another_epoch_s_key_does_not_open_it() -> None:
    assert opened(seal(a_body(), PLACE, epoch_key=PUBLIC), private=PrivateKey.generate()) is None


@given(st.data())
def test_any_changed_byte_is_refused(data: st.DataObject) -> None:
    sealed = seal(a_body(), PLACE, epoch_key=PUBLIC)
    part = data.draw(st.sampled_from(["body", "key"]))
    content = bytearray(getattr(sealed, part))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    assert opened(replace(sealed, **{part: bytes(content)})) is None


@given(st.binary(max_size=700), st.binary(max_size=100))
def test_garbage_opens_as_nothing(body: bytes, key: bytes) -> None:
    assert opened(Sealed(body, key)) is None
