"""A call's serialised form: everything comes back, nothing else does, and it stays small."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from ivr.engine.call import CallUnreadable, begin, pack, unpack
from ivr.engine.draft import Draft
from ivr.line.freshness import STAMP_SIZE
from ivr.vault.tokens import MAX_PLAINTEXT
from tests.engine.caller import NOON, Caller
from tests.shipped import flow

LONGEST_PLAINTEXT = MAX_PLAINTEXT - STAMP_SIZE

EVERYTHING = (
    "1 1 1 1 1 2 1 3 1 4 2 1 2 2 2 3 2 4 3 1 3 2 3 3 3 4 4 1 4 2 4 3 4 4 # 1 1"
    " 1 1 1 1 1 1 1 1 1 1 1 1 12345678# 1 123456789012345# 1 1 1 3"
)


def test_the_longest_report_fits_into_a_token_with_room() -> None:
    rosa = Caller()
    longest = 0
    for key in EVERYTHING.split():
        rosa.presses(key)
        longest = max(longest, len(pack(rosa.turn.call, rosa.flow)))
    assert rosa.at == "bad_date:receipt"
    assert {question.name for question in rosa.flow.forms["bad_date"].questions} == set(rosa.answers)
    assert longest <= LONGEST_PLAINTEXT // 2


def full(name: str, *, adds: bool = False) -> Draft:
    """A draft with every answer that its form takes."""
    form = flow().forms[name]
    answers: list[tuple[str, tuple[str, ...]]] = []
    for question in form.questions:
        finer = tuple(code.name for code in question.codes if code.group)
        codes = finer if question.kind == "several" else tuple(code.name for code in question.codes[-1:])
        answers.append((question.name, codes or ("9" * 15,)))
    at = list(flow().steps)[-1]
    return Draft(name, 9, at, form.consents[-1], tuple(answers), True, True, 99, False, "9" * 12, adds, True)


def test_a_report_an_addition_and_a_request_all_begun_in_one_call_fit_into_a_token_too() -> None:
    steps = tuple(flow().steps)[-16:]
    drafts = (full("bad_date"), full("bad_date", adds=True), full("callback"))
    call = changed(
        begin(flow(), seed=bytes(16), at=NOON),
        step=steps[-1],
        trail=steps,
        drafts=drafts,
        turn=3000,
        typed="9" * 15,
        transfers=99,
        holding=True,
        about=bytes(32),
        wished_at=13_000,
        opened="bad_date",
        may_try_at=13_000,
    )
    assert len(pack(call, flow())) <= LONGEST_PLAINTEXT


@given(st.binary(max_size=300))
def test_bytes_of_nobody_are_unreadable_and_nothing_worse(noise: bytes) -> None:
    try:
        call = unpack(noise, flow())
    except CallUnreadable:
        return
    assert call.step in flow().steps


@given(st.data())
def test_a_call_with_a_byte_changed_is_a_call_or_unreadable(data: st.DataObject) -> None:
    packed = bytearray(pack(Caller().presses("1 1 2 1 # 1 1 3").turn.call, flow()))
    position = data.draw(st.integers(0, len(packed) - 1))
    packed[position] = data.draw(st.integers(0, 255))
    try:
        unpack(bytes(packed), flow())
    except CallUnreadable:
        return


def test_a_call_of_another_version_is_unreadable_because_its_numbers_mean_something_else() -> None:
    packed = pack(Caller().presses("1 1").turn.call, flow())
    with pytest.raises(CallUnreadable):
        unpack(packed, replace(flow(), version="0123456789abcdef"))
