"""`ivr checklist`: everything of Plivo that is not documented, in the order of harm."""

from ivr.carrier.checklist import BEHAVIOURS, checklist
from tests.cli.test_calling import ivr


def test_everything_that_is_not_documented_is_on_it_once_and_nothing_else() -> None:
    listed = [item.behaviour for item in checklist()]
    assert len(set(listed)) == len(listed)
    assert set(listed) == {one for one in BEHAVIOURS if one.status != "documented"}


def test_what_would_hurt_most_comes_first() -> None:
    assert [item.behaviour.name for item in checklist()][:3] == ["voices", "alone", "text-signed"]


def test_the_command_tells_each_with_what_would_be_otherwise_and_why_nobody_knows() -> None:
    code, printed, *_ = ivr("checklist")
    assert code == 0
    assert " 1. Polly.Joanna speaks en-US" in printed
    for item in checklist():
        assert item.behaviour.what in printed
        assert item.harm in printed
        assert item.behaviour.source in printed
