"""What `ivr check` promises is what a caller gets: the figures, against a walk of the engine itself that tries every
key."""

import heapq
from collections.abc import Iterator
from itertools import count

import pytest
from msgspec.structs import replace

from ivr.engine.advance import advance
from ivr.engine.asks import (
    AskStatus,
    ChangeConsent,
    Dialling,
    Gone,
    Holding,
    Nobody,
    Noted,
    NotSaved,
    Opened,
    OpenReceipt,
    Ring,
    Saved,
    SaveReport,
    StatusIs,
    Withdraw,
)
from ivr.engine.call import Call, begin
from ivr.engine.effects import Connect, HangUp, Turn, WaitForDigits, WaitForKey
from ivr.engine.inputs import Answered, Began, Input, Pressed, Returned
from ivr.flow import proofs
from ivr.flow.graph import Flow
from ivr.flow.speech import Spoken, timeline
from tests.engine.caller import NOON, SEED
from tests.shipped import flow

LANGUAGES = ("en", "es")
KEYS = "1234#"


def step(of: Flow, call: Call, received: Input) -> Turn:
    return advance(of, call, received, now=NOON)


def picked_up(of: Flow) -> Turn:
    return step(of, begin(of, seed=SEED, at=NOON), Began())


def heard(of: Flow, turn: Turn) -> list[Spoken]:
    return list(timeline(turn.said, turn.call.language, of.catalogues))


def seconds_until(key: str, said: list[Spoken], *, in_full: bool) -> float:
    if not in_full:
        for one in said:
            if key in one.keys:
                return one.ends_at
    return said[-1].ends_at


def shortest_report(of: Flow, language: str, *, in_full: bool) -> tuple[int, float]:
    """Keys and seconds of the cheapest way to a first save in which what and when are answered: every key is tried."""
    order = count()
    queue = [(0, 0.0, next(order), picked_up(of))]
    seen = set()
    while queue:
        keys, spent, _, turn = heapq.heappop(queue)
        if isinstance(turn.then, SaveReport):
            if turn.call.language == language and {"what", "when"} <= dict(turn.then.answers).keys():
                return keys, spent
            continue
        known = (replace(turn.call, turn=0), turn.said)
        if known in seen or keys == 10 or not isinstance(turn.then, WaitForKey | WaitForDigits):
            continue
        seen.add(known)
        said = heard(of, turn)
        for key in KEYS:
            later = spent + seconds_until(key, said, in_full=in_full)
            heapq.heappush(queue, (keys + 1, later, next(order), step(of, turn.call, Pressed(key))))
    raise AssertionError("no report can be made")


def _place(call: Call) -> tuple[object, ...]:
    """Where she is, as far as it decides where she can come to."""
    return call.step, tuple(
        (draft.form, draft.adds, draft.confirmed, draft.saved, draft.is_over) for draft in call.drafts
    )


def everywhere(of: Flow) -> Iterator[Turn]:
    """A turn at each wait that a caller can come to, found by pressing every key wherever she is."""
    waiting: list[Turn] = [picked_up(of)]
    seen: set[tuple[object, ...]] = set()
    while waiting:
        turn = waiting.pop()
        if isinstance(turn.then, SaveReport):
            receipt = "123456789012" if turn.then.has_receipt else None
            waiting += [step(of, turn.call, Answered(answer)) for answer in (Saved(receipt), NotSaved())]
        elif isinstance(turn.then, Ring):
            waiting += [step(of, turn.call, Answered(answer)) for answer in (Nobody(), Dialling(("+15005550001",), 20))]
        elif isinstance(turn.then, OpenReceipt):
            found = (Opened(bytes(32), "bad_date"), Opened(bytes(32), "bad_date", is_gone=True), Gone())
            waiting += [step(of, turn.call, Answered(answer)) for answer in found]
        elif isinstance(turn.then, AskStatus):
            waiting.append(step(of, turn.call, Answered(StatusIs("new", "count_only"))))
        elif isinstance(turn.then, ChangeConsent | Withdraw):
            waiting.append(step(of, turn.call, Answered(Noted())))
        elif (known := _place(turn.call)) not in seen:
            seen.add(known)
            yield turn
            if isinstance(turn.then, Connect):
                waiting += [step(of, turn.call, Returned(talked)) for talked in (True, False)]
            elif isinstance(turn.then, WaitForDigits):
                number = "212555014300"[: turn.then.most]
                waiting += [step(of, turn.call, Pressed(typed)) for typed in (number, "#", "*")]
            else:
                waiting += [step(of, turn.call, Pressed(key)) for key in "1234*#"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shortest_report_is_as_short_as_the_checker_says(language: str) -> None:
    of = flow()
    proven = proofs.report(of, language)
    for in_full, seconds in ((False, proven.at_once), (True, proven.in_full)):
        keys, spent = shortest_report(of, language, in_full=in_full)
        assert keys == proven.keys
        assert spent == pytest.approx(seconds)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_key_is_told_when_the_checker_says(language: str) -> None:
    told = [said.ends_at for said in heard(flow(), picked_up(flow())) if said.keys and said.language == language]
    assert told[0] == pytest.approx(proofs.first_key(flow(), language))
    assert told[0] <= 8


@pytest.mark.parametrize(("language", "key"), [("en", "1"), ("es", "2")])
def test_she_hears_of_a_person_when_the_checker_says(language: str, key: str) -> None:
    of = flow()
    greeting = picked_up(of)
    after = step(of, greeting.call, Pressed(key))
    told = next(said.ends_at for said in heard(of, after) if "0" in said.keys)
    worst = heard(of, greeting)[-1].ends_at + told
    assert worst == pytest.approx(proofs.hears_of_person(of, language))
    assert worst <= 20


def test_from_every_wait_one_key_rings_a_person_and_two_where_digits_are_being_typed() -> None:
    of = flow()
    been = set()
    for turn in everywhere(of):
        been.add(turn.call.step)
        if isinstance(turn.then, Connect | HangUp):
            continue
        assert isinstance(step(of, turn.call, Pressed("0")).then, Ring), turn.call.step
        if isinstance(turn.then, WaitForDigits):
            cleared = step(of, turn.call, Pressed("55*"))
            assert isinstance(step(of, cleared.call, Pressed("0")).then, Ring), turn.call.step
    assert {wait.name for wait in of.waits()} <= been
    assert {proofs.person(of, language).keys for language in LANGUAGES} == {1}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_seconds_until_phones_ring_are_those_of_the_engine(language: str) -> None:
    of = flow()
    at_main = step(of, picked_up(of).call, Pressed("1" if language == "en" else "2"))
    ringing = step(of, step(of, at_main.call, Pressed("0")).call, Answered(Holding(50)))
    assert heard(of, ringing)[-1].ends_at == pytest.approx(proofs.person(of, language).in_full)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_promises_of_the_shipped_flow_hold_with_room(language: str) -> None:
    proven = proofs.report(flow(), language)
    assert proven.keys <= 10
    assert proven.at_once <= 45
    assert proven.in_full <= 75
