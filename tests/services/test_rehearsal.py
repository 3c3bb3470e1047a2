"""Talks: what is as written passes, and what is not is told with its place."""

import asyncio

import pytest

from ivr.flow.diagnostics import Diagnostic
from ivr.flow.talk import read_talks
from ivr.services.rehearsal import rehearse
from tests.shipped import content, flow, staff

HEAD = """\
- talk: Rosa calls
  at: 2027-03-10 21:00
  on_call: [ana, bo]
  call:
"""


def play(acts: str, then: str = "") -> Diagnostic | None:
    lines = "".join(f"    - {line.strip()}\n" for line in acts.strip().splitlines())
    talks, wrong = read_talks("flows/hotline.talks.yaml", (HEAD + lines + then).encode())
    assert not wrong, wrong
    return asyncio.run(rehearse(flow(), staff(), talks[0]))


def test_every_shipped_talk_goes_as_written() -> None:
    talks = content().talks
    assert len(talks) >= 4
    assert [wrong for talk in talks if (wrong := asyncio.run(rehearse(flow(), staff(), talk)))] == []


def test_a_prompt_that_is_not_heard_is_told_with_what_was() -> None:
    wrong = play('press: "1"\nhears: goodbye')
    assert wrong is not None
    assert (wrong.code, wrong.place.line) == ("talk-failed", 6)
    assert "`goodbye` is not heard" in wrong.message
    assert "`safety`" in wrong.cure


def test_a_prompt_in_another_language_is_not_that_prompt() -> None:
    assert play('press: "2"\nhears: safety in es') is None
    wrong = play('press: "2"\nhears: safety in en')
    assert wrong is not None
    assert "in `en`" in wrong.message


def test_what_was_heard_before_the_last_press_does_not_count() -> None:
    assert play('press: "1"\npress: "1"\nhears: safety') is not None


def test_another_report_than_expected_is_told() -> None:
    acts = 'press: "1 1 2 1 # 1 1"'
    assert play(acts, "  then:\n    report: { what: [taken], when: today, consent: count_only }\n") is None
    for other in ("none", "{ what: [taken], consent: count_only }", "{ what: [taken], when: today, consent: pass_on }"):
        wrong = play(acts, f"  then:\n    report: {other}\n")
        assert wrong is not None
        assert "taken" in wrong.cure


def test_two_reports_in_one_call_are_told_as_a_list() -> None:
    acts = 'press: "1 1 2 1 # 1 1 # # # # # # # # # # # 1 # # 2 1 3 1 # 2 1"'
    one = "{ what: taken, when: today, consent: count_only }"
    other = "{ what: threatened, when: this_week, consent: count_only }"
    assert play(acts, f"  then:\n    report: [{one}, {other}]\n") is None
    assert play(acts, f"  then:\n    report: {one}\n") is not None


def test_a_report_that_was_never_made_is_missed() -> None:
    wrong = play('press: "1 9"', "  then:\n    report: { what: [taken] }\n")
    assert wrong is not None
    assert "none" in wrong.cure


@pytest.mark.parametrize(
    ("acts", "transfers"),
    [
        ('press: "1 0"\nadvocate: ana takes the call\nadvocate: ana hangs up\nhears: after_talk', "[taken by ana]"),
        ('press: "1 0"\nadvocate: ana passes\nadvocate: bo sleeps\nhears: nobody_free', "[nobody]"),
        ('press: "1 0"\nadvocate: ana sleeps\nadvocate: bo takes the call\nadvocate: bo hangs up', "[taken by bo]"),
        ('press: "1 0 1"\nhears: bad_date.what', "[nobody]"),
        ('press: "1"', "[]"),
    ],
)
def test_advocates_are_actors(acts: str, transfers: str) -> None:
    assert play(acts, f"  then:\n    transfers: {transfers}\n") is None


def test_a_phone_that_does_not_ring_cannot_be_answered() -> None:
    wrong = play('press: "1"\nadvocate: bo takes the call')
    assert wrong is not None
    assert "does not ring" in wrong.message


def test_nothing_can_be_pressed_after_the_end() -> None:
    for acts in ('press: "9 1"', 'hang up\npress: "1"'):
        wrong = play(acts)
        assert wrong is not None
        assert wrong.code == "talk-failed"
