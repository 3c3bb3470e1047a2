"""Waiting for a person, as the engine sees it: asks, answers, and keys pressed meanwhile."""

import asyncio
from dataclasses import dataclass, field

import pytest
from msgspec import structs

from ivr.engine.advance import advance
from ivr.engine.asks import (
    About,
    Answer,
    Ask,
    AskShift,
    CallerLeft,
    Connecting,
    CountOutcome,
    Dialling,
    HearMore,
    Holding,
    Late,
    Meeting,
    Moment,
    NextIs,
    Nobody,
    Noted,
    PassOffer,
    Ring,
    ShiftIs,
    SignedIn,
    SignIn,
    Stopped,
    StopRinging,
    TakeOffer,
    Unknown,
)
from ivr.engine.call import Call, begin
from ivr.engine.effects import Connect, Effect, HandOver, HangUp, Hold, Meet, Turn
from ivr.engine.inputs import Answered, Began, FellSilent, Input, Pressed, Returned
from ivr.flow.compiler import compile_flow
from ivr.flow.graph import Flow
from tests.engine.caller import NOON, SEED, Caller
from tests.shipped import ROOT, staff

ON, OFF = ShiftIs(is_on=True, until=Moment(1, 22, 30), told=1_000), ShiftIs(is_on=False, told=-1)


@dataclass
class Told:
    """A world that answers as it is told to, and remembers what it was asked."""

    answers: list[Answer] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)

    async def answer(self, ask: Ask, call: Call, leg: bytes) -> Answer:
        del call, leg
        self.asked.append(ask)
        return self.answers.pop(0)


def waiting(*answers: Answer) -> tuple[Caller, Told]:
    """Rosa has pressed 0 at the main menu, in English."""
    world = Told([*answers])
    return Caller(world=world).presses("1 0"), world


def test_she_is_told_once_then_hears_how_long_it_may_still_take() -> None:
    rosa, world = waiting(Holding(50), Holding(31), Holding(4))
    assert rosa.heard == ["line.transfer", "line.option"]
    assert isinstance(rosa.turn.then, Hold)
    rosa.says_nothing()
    assert rosa.heard == ["line.holding", "line.option"]
    assert "40" in rosa.text
    assert "10" in rosa.says_nothing().text
    rungs = (("on_call", 25), ("backup", 25))
    assert world.asked == [Ring(rungs, 1), Ring(rungs, 1, 0), Ring(rungs, 1, 0)], "the clock stands still here"


def test_what_she_does_instead_lets_the_phones_be_first_and_her_next_wish_is_another() -> None:
    rosa, world = waiting(Holding(50), Stopped(), Holding(50))
    assert rosa.presses("1").at == "bad_date.what"
    assert rosa.presses("0").heard[0] == "line.transfer"
    assert [one for one in world.asked if isinstance(one, Ring)] == [
        Ring((("on_call", 25), ("backup", 25)), 1),
        Ring((("on_call", 25), ("backup", 25)), 2, since_last=0, is_silent=True),
    ]
    assert world.asked[1] == StopRinging(1)


@pytest.mark.parametrize(("key", "step"), [("*", "main"), ("9", "leave")])
def test_star_and_nine_work_while_she_waits(key: str, step: str) -> None:
    rosa, world = waiting(Holding(50), Stopped())
    assert rosa.presses(key).at == step
    assert world.asked[-1] == StopRinging(1)


@pytest.mark.parametrize("key", ["0", "#", "5", "8"])
def test_any_other_key_goes_on_waiting(key: str) -> None:
    rosa, world = waiting(Holding(50), Holding(44))
    rosa.presses(key)
    assert isinstance(rosa.turn.then, Hold)
    assert all(isinstance(one, Ring) and one.visit == 1 for one in world.asked)


def test_somebody_is_there_and_they_talk_until_one_leaves() -> None:
    rosa, world = waiting(Holding(50), Meeting("a room"), Stopped())
    rosa.says_nothing()
    assert rosa.heard == ["line.connected"]
    assert rosa.turn.then == Meet("a room", 13_500, is_caller=True)
    assert rosa.comes_back(talked=True).at == "after_talk"
    assert world.asked[-1] == StopRinging(1)


def test_where_nobody_can_be_rung_any_more_she_is_told_of_the_only_key_that_works_while_it_dials() -> None:
    rosa, _ = waiting(Holding(50), Dialling(("+15005550001",), 20))
    rosa.says_nothing()
    assert rosa.heard == ["line.dialling"]
    assert "star" in rosa.text
    assert rosa.turn.then == Connect(("+15005550001",), 20, 13_500)
    assert rosa.comes_back(talked=False).at == "nobody_free"


def test_a_wish_that_nobody_can_fulfil_may_be_wished_again() -> None:
    rosa, world = waiting(Holding(50), Nobody(), Holding(50))
    assert rosa.says_nothing().at == "nobody_free"
    assert rosa.presses("0").heard[0] == "line.transfer"
    assert isinstance(world.asked[-1], Ring)
    assert world.asked[-1].visit == 2


# ---- somebody who answers ----


class Answering:
    """Somebody in the staff flow, moved by hand: what is asked is answered with what was given, in turn."""

    def __init__(self, *answers: Answer, at: str | None = None) -> None:
        self.world = Told([*answers])
        call = begin(staff(), seed=SEED, at=NOON)
        self._take(structs.replace(call, step=at or staff().start, about=b"an offer"), Began())

    def presses(self, keys: str) -> "Answering":
        for word in keys.split():
            self._take(self.turn.call, Pressed(word))
        return self

    def says_nothing(self) -> "Answering":
        self._take(self.turn.call, FellSilent())
        return self

    def comes_back(self) -> "Answering":
        self._take(self.turn.call, Returned(talked=True))
        return self

    @property
    def heard(self) -> list[str]:
        return [said.prompt for said in self.turn.said]

    @property
    def then(self) -> object:
        return self.turn.then

    def _take(self, call: Call, received: Input) -> None:
        turn = advance(staff(), call, received, now=NOON)
        said = turn.said
        while not isinstance(turn.then, Effect):
            answer = asyncio.run(self.world.answer(turn.then, turn.call, b""))
            turn = advance(staff(), turn.call, Answered(answer), now=NOON)
            said = (*said, *turn.said)
        self.turn = Turn(turn.call, said, turn.then)


def offered(*answers: Answer) -> Answering:
    return Answering(*answers, at=staff().offered)


def test_the_first_words_are_said_twice_and_tell_nothing() -> None:
    ana = offered()
    assert ana.heard == ["whisper", "line.option", "line.next_option", "line.next_option"] * 2
    assert all(not said.is_private for said in ana.turn.said)


@pytest.mark.parametrize("key", [*"2456789", "0", "*", "#"])
def test_every_key_but_one_and_three_passes(key: str) -> None:
    ana = offered(Noted()).presses(key)
    assert ana.world.asked == [PassOffer()]
    assert ana.then == HangUp()


def test_silence_passes_at_once() -> None:
    assert offered(Noted()).says_nothing().world.asked == [PassOffer()]


def test_three_tells_what_she_keyed_and_asks_again() -> None:
    ana = offered(About("es", 17, ("bad_date.what.taken", "line.about_finished")), Connecting()).presses("3")
    assert ana.world.asked == [HearMore()]
    assert ana.heard[:2] == ["line.about", "line.about_told"]
    text = " ".join(staff().catalogues["en"].says(said) for said in ana.turn.said)
    assert "español" in text
    assert "20 seconds" in text
    assert "robbery, a finished report" in text
    assert isinstance(ana.presses("1").then, Hold)


def test_after_three_every_other_key_passes_too() -> None:
    assert offered(About("en", 8, ()), Noted()).presses("3 3").world.asked == [HearMore(), PassOffer()]


def test_one_takes_and_she_waits_in_short_pieces_until_they_meet() -> None:
    ana = offered(Connecting(), Connecting(), Meeting("a room"), Noted())
    ana.presses("1")
    assert ana.heard == ["line.connecting"]
    assert isinstance(ana.says_nothing().then, Hold)
    assert ana.says_nothing().then == Meet("a room", 13_500, is_caller=False)
    assert ana.world.asked == [TakeOffer()] * 3
    assert ana.comes_back().heard[0] == "how_was_it"
    assert ana.presses("2").world.asked[-1] == CountOutcome("referred")
    assert ana.then == HangUp()


@pytest.mark.parametrize(("answer", "told"), [(Late(), "line.taken_already"), (CallerLeft(), "line.caller_left")])
def test_whoever_is_late_is_told_kindly(answer: Answer, told: str) -> None:
    ana = offered(answer).presses("1")
    assert ana.heard == [told, "thanks"]
    assert ana.then == HangUp()


def test_nothing_keyed_after_the_talk_counts_nothing() -> None:
    ana = offered(Meeting("a room")).presses("1").comes_back().says_nothing()
    assert ana.world.asked == [TakeOffer()]
    assert ana.then == HangUp()


# ---- her shifts ----


def test_eight_during_the_greeting_leads_to_the_line_of_those_who_answer_and_nowhere_else() -> None:
    assert Caller().presses("8").turn.then == HandOver(to_staff=True)
    assert Caller().presses("1 8").heard[0] == "line.wrong_key"
    assert all("8" not in staff().catalogues[one].prompts["greeting"].many.text for one in staff().languages)


def test_her_pin_tells_how_she_stands_and_a_wish_says_what_she_had_heard() -> None:
    ana = Answering(SignedIn(b"ana", "es", ON), OFF, ON, ON, NextIs("bo", Moment(2, 8, 5)), NextIs())
    ana.presses("12345678#")
    assert ana.world.asked == [SignIn("12345678")]
    assert ana.heard[0] == "line.on_call_until"
    assert "martes a las 22:30" in staff().catalogues["es"].says(ana.turn.said[0])
    assert ana.turn.call.language == "es"
    assert ana.turn.call.typed == ""
    assert ana.presses("2").heard[0] == "line.off_call"
    assert ana.presses("2").heard[0] == "line.on_call_until"
    ana.presses("3")
    assert ana.world.asked[1:] == [AskShift("switch", 1_000), AskShift("switch", -1), AskShift("hour", 1_000)]
    assert ana.presses("4").heard[0] == "line.next_on_call"
    assert ana.presses("4").heard[0] == "line.next_nobody"


def test_three_wrong_pins_lead_back_to_the_callers_line() -> None:
    ana = Answering(Unknown(), Unknown(), Unknown()).presses("12345678# 87654321#")
    assert ana.heard[0] == "line.pin_unknown"
    assert ana.presses("11223344").then == HandOver(to_staff=False)


@pytest.mark.parametrize("keys", ["*", "0"])
def test_a_caller_who_strayed_there_comes_back(keys: str) -> None:
    assert Answering().presses(keys).then == HandOver(to_staff=False)


def test_a_caller_who_strayed_there_and_says_nothing_comes_back_too() -> None:
    assert Answering().says_nothing().says_nothing().says_nothing().then == HandOver(to_staff=False)


# ---- a number outside ----


def with_partner() -> Flow:
    """The shipped flow, with a shelter to be put through to instead of the goodbye after a talk."""
    paths = [*(ROOT / "flows").rglob("*.yaml"), *(ROOT / "prompts").rglob("*.yaml")]
    files = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}
    step = b"  shelter: { connect: +1 212 555 0123, ring: 30s, nobody: main, next: after_talk }\n"
    menu = b"2: come_back }\n\n  report"
    hotline = files["flows/hotline.yaml"].replace(menu, menu.replace(b"}", b", 3: shelter }"))
    files["flows/hotline.yaml"] = hotline.replace(b"texts_within: 2", b"texts_within: 3") + step
    for language in ("en", "es"):
        texts = files[f"prompts/{language}.yaml"]
        added = b"\nprompts:\n  main.shelter: be put through to a shelter\n  shelter: Calling the shelter.\n"
        files[f"prompts/{language}.yaml"] = texts.replace(b"\nprompts:\n", added)
    compiled = compile_flow(files)
    assert compiled.flow is not None, compiled.diagnostics
    return compiled.flow


def test_a_partner_is_dialled_with_nothing_to_confirm_and_she_comes_back_either_way() -> None:
    rosa = Caller(with_partner()).presses("1 3")
    assert rosa.heard == ["shelter"]
    assert rosa.turn.then == Connect(("+12125550123",), 30, 13_500, is_outside=True)
    assert rosa.comes_back(talked=True).at == "after_talk"
    assert Caller(with_partner()).presses("1 3").comes_back(talked=False).at == "main"


@pytest.mark.parametrize(("key", "step"), [("*", "main"), ("9", "leave")])
def test_while_she_is_told_of_the_partner_her_keys_work(key: str, step: str) -> None:
    assert Caller(with_partner()).presses(f"1 3 {key}").at == step


def test_zero_while_she_is_told_of_the_partner_is_a_person_and_any_other_key_hurries() -> None:
    rosa = Caller(with_partner(), Told([Holding(50)])).presses("1 3 0")
    assert rosa.heard[0] == "line.transfer"
    hurried = Caller(with_partner()).presses("1 3 5")
    assert hurried.heard == []
    assert isinstance(hurried.turn.then, Connect)
