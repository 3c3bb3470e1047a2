"""Every way a call can take, found by walking the engine itself: a set of calls that takes each edge of the compiled
graph, at each wait each key, silence, wrong keys, typed digits of each sort and a hang-up, in each language."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Literal

from ivr.carrier.states import DialOutcome
from ivr.engine.advance import advance
from ivr.engine.asks import (
    Answer,
    AskStatus,
    ChangeConsent,
    Dialling,
    Duty,
    Gone,
    Nobody,
    Noted,
    NotNow,
    NotSaved,
    OnDuty,
    Opened,
    OpenReceipt,
    Ring,
    Saved,
    SaveReport,
    StatusIs,
    Withdraw,
)
from ivr.engine.call import Call, begin
from ivr.engine.effects import Connect, HandOver, HangUp, Turn, WaitForDigits, WaitForKey
from ivr.engine.inputs import Answered, Began, FellSilent, Input, Pressed, Returned
from ivr.flow.graph import Ask, Branch, Choose, Collect, Enter, Flow, Leave, Say, Step, onward
from ivr.flow.lowering.sign_in import PIN_DIGITS
from ivr.flow.wants import WantPerson

KEYS = "0123456789*#"
OUTCOMES: tuple[DialOutcome, ...] = ("completed", "busy", "no-answer", "failed", "timeout", "cancel", "unconfirmed")
TYPED = "4820953166"
HERS = "5187554028"
"""What is typed where somebody asks to be called: her own number, and nobody else's."""
RECEIPT = "482095316677"
"""What is typed where a receipt is wanted. Where the line `opens` receipts, it leads to a report; else to none."""
MOST_MOVES = 70
"""In one call, so that it stays within the time that a call may take."""


@dataclass(frozen=True, slots=True)
class Move:
    """What a caller, or a phone that is rung, does. `broken`: nothing is kept and nobody is rung while she does it."""

    do: Literal["press", "silence", "hang up", "dial"]
    keys: str = ""
    outcome: DialOutcome = "completed"
    broken: bool = False


def press(keys: str) -> Move:
    return Move("press", keys)


SILENCE, HANGUP = Move("silence"), Move("hang up")

Ask_ = SaveReport | Ring | OnDuty | OpenReceipt | AskStatus | ChangeConsent | Withdraw
Edge = tuple[str, str]
Item = tuple[str, ...]
"""What must be taken: ("at", language, step, label) at a wait, or ("edge", from, to) where nobody is waited for."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a call stands, as its phone sees it. At `staff` she pressed the key of those who answer; a star leads
    back."""

    call: Call
    place: Literal["key", "digits", "announced", "ringing", "staff", "over"]
    most: int = 1


Like = tuple[object, ...]
"""What situations have in common from which the same moves lead to the same places, near enough."""


class _Noted(dict[str, Step]):
    """The steps of a flow, and in which order they were looked at."""

    def __init__(self, steps: Mapping[str, Step]) -> None:
        super().__init__(steps)
        self.looked: list[str] = []

    def __getitem__(self, name: str) -> Step:
        self.looked.append(name)
        return super().__getitem__(name)


class Walker:
    """A flow, walked without disk, phones or carrier. `taken` collects the edges of each move. `opens`: the receipt
    that is typed leads to a report."""

    def __init__(self, flow: Flow, now: datetime, *, opens: bool = False) -> None:
        self.opens = opens
        self._steps = _Noted(flow.steps)
        self.flow = replace(flow, steps=self._steps)
        self.now = now
        self.taken: set[Edge] = set()
        self.known: dict[Like, Situation] = {}
        self.here: dict[tuple[str, str, str], tuple[Item, ...]] = {}
        self.ways: dict[Like, list[tuple[Move, Like, frozenset[Item]]]] = {}

    def step(self, name: str) -> Step:
        """A step, without noting that it was looked at."""
        return self._steps.get(name) or self._steps[name]

    def begin(self) -> Situation:
        call = begin(self.flow, seed=bytes(16), at=self.now)
        return self._settled(self._advance(call, Began()), broken=False)

    def move(self, at: Situation, what: Move) -> Situation:
        """The situation after a move. `taken` holds its edges, and only its."""
        self.taken = set()
        if what.do == "hang up":
            return replace(at, place="over")
        if what.do == "silence" and at.place == "announced":
            return replace(at, place="ringing")
        if what.do == "press" and what.keys != "*" and at.place == "ringing":
            return at
        if at.place == "staff":
            return self.begin() if what.keys == "*" else at
        return self._settled(self._advance(at.call, self._input(at, what)), broken=what.broken)

    def _input(self, at: Situation, what: Move) -> Input:
        if at.place == "ringing":
            return Returned(what.do == "dial" and what.outcome == "completed")
        return Pressed(what.keys[: at.most]) if what.do == "press" else FellSilent()

    def _settled(self, turn: Turn, *, broken: bool) -> Situation:
        said = turn.said
        while isinstance(turn.then, SaveReport | Ring | OnDuty | OpenReceipt | AskStatus | ChangeConsent | Withdraw):
            answer = _answer(turn.then, broken=broken, opens=self.opens)
            turn = self._advance(turn.call, Answered(answer))
            said = (*said, *turn.said)
        match turn.then:
            case WaitForKey():
                return Situation(turn.call, "key")
            case WaitForDigits():
                return Situation(turn.call, "digits", turn.then.most + 1)
            case Connect():
                return Situation(turn.call, "announced" if said else "ringing")
            case HandOver():
                return Situation(turn.call, "staff", PIN_DIGITS + 1)
            case HangUp():
                return Situation(turn.call, "over")
            case _:
                raise AssertionError(turn.then)

    def _advance(self, call: Call, received: Input) -> Turn:
        self._steps.looked.clear()
        turn = advance(self.flow, call, received, now=self.now)
        looked = self._steps.looked
        self.taken |= set(pairwise(looked))
        return turn


def _answer(ask: Ask_, *, broken: bool, opens: bool) -> Answer:
    match ask:
        case OpenReceipt():
            return Opened(bytes(32), "bad_date") if opens and not broken else Gone()
        case AskStatus():
            return NotNow() if broken else StatusIs("new", "pass_on")
        case ChangeConsent() | Withdraw():
            return NotNow() if broken else Noted()
        case SaveReport():
            return NotSaved() if broken else Saved("0" * 12 if ask.has_receipt else None)
        case Ring():
            return Nobody() if broken else Dialling(("+15005550001",), 20)
        case OnDuty():
            return Duty(not broken)


# ---- what there is to take ----


def everything(flow: Flow) -> set[Item]:
    """Every item, from the graph alone."""
    items: set[Item] = set()
    for step in flow.steps.values():
        for label in labels(step):
            items |= {("at", language, step.name, label) for language in flow.languages}
        if isinstance(step, Say | Ask | Branch | Enter | Leave):
            items |= {("edge", step.name, to) for to in onward(step)}
        if isinstance(step, Enter):
            items.add(("resumed", step.name))
    return {item for item in items if not _is_of_another_call(item)}


ELSEWHERE = frozenset({"bad_date:practice:right", "come_back:gone", "come_back:other"})
"""Steps that calls made beforehand do not come to: her own receipt is known only once she has heard it, a report that
was taken back is another's next time, and every form here is known. Talks, texts and tests of the engine go there."""


def _is_of_another_call(item: Item) -> bool:
    return item[0] == "edge" and not ELSEWHERE.isdisjoint(item[1:])


def labels(step: Step) -> dict[str, tuple[Move, ...]]:
    """What can be done at a step, by name."""
    match step:
        case Choose():
            return {**{key: (press(key),) for key in KEYS}, **_anywhere("6" if len(step.options) < 6 else "8")}
        case Collect():
            return {**_typing(step), **_anywhere("4")}
        case Ask(want=WantPerson()):
            told = {f"told, {key}": (press(key),) for key in KEYS}
            rung = {f"rung, {outcome}": (Move("dial", outcome=outcome),) for outcome in OUTCOMES}
            return {
                **told,
                **rung,
                "told, silence": (SILENCE,),
                "told, hang up": (HANGUP,),
                "rung, star": (press("*"),),
                "rung, hang up": (HANGUP,),
            }
        case _:
            return {}


def _anywhere(wrong: str) -> dict[str, tuple[Move, ...]]:
    return {
        "silence": (SILENCE,),
        "silence three times": (SILENCE,) * 3,
        "a wrong key three times": (press(wrong),) * 3,
        "a wrong key, then silence": (press(wrong), SILENCE),
        "hang up": (HANGUP,),
    }


def typed_at(step: Step) -> str:
    """The digits that a caller types here."""
    if isinstance(step, Collect) and step.gathers:
        return RECEIPT
    return HERS if isinstance(step, Collect) and step.form == "callback" else TYPED


def _typing(step: Collect) -> dict[str, tuple[Move, ...]]:
    typed = typed_at(step)
    fits = typed[: step.most]
    return {
        "a number": (press(f"{fits}#"),),
        "a number without pound": (press(fits),),
        "the shortest number": (press(f"{typed[: step.least]}#"),),
        "too short": (press(f"{typed[: step.least - 1]}#"),),
        "too long": (press(f"{typed}{typed}"[: step.most + 1]),),
        "a star within": (press(f"55*{fits}"),),
        "digits, then star": (press("55*"),),
        "cleared, then nine": (press("55*"), press("9")),
        "cleared, then zero": (press("55*"), press("0")),
        **({"three that open nothing": (Move("press", fits, broken=True),) * 3} if step.gathers else {}),
        "zero": (press("0"),),
        "zero, pound": (press("0#"),),
        "nine": (press("9"),),
        "star": (press("*"),),
        "star, nine": (press("*9"),),
        "pound": (press("#"),),
    }


# ---- taking it all ----


@dataclass(frozen=True, slots=True)
class Cover:
    """Calls that together take every item, and what no call can take: nothing, unless a step has no path."""

    calls: list[list[Move]]
    left: set[Item]


def cover(walker: Walker, wanted: set[Item]) -> Cover:
    """Calls that take what is wanted, on the walker's flow."""
    calls, left = list[list[Move]](), set(wanted)
    while left:
        before = len(left)
        moves = _one_call(walker, left)
        if len(left) == before:
            break
        calls.append(moves)
    return Cover(calls, left)


def _one_call(walker: Walker, left: set[Item]) -> list[Move]:
    at, moves = walker.begin(), list[Move]()
    left -= _edges(walker)
    while at.place != "over" and len(moves) < MOST_MOVES:
        item = next((item for item in _here(walker, at) if item in left), None)
        way = labels(walker.step(at.call.step))[item[3]] if item else _nearest(walker, at, left)
        if way is None:
            break
        if item:
            left.discard(item)
        for what in way:
            has_left_a_form = bool(at.call.drafts)
            at = walker.move(at, what)
            moves.append(what)
            left -= _edges(walker) | (_resumed(walker) if has_left_a_form else set())
            if at.place == "over":
                return moves
    return [*moves, HANGUP]


def _here(walker: Walker, at: Situation) -> tuple[Item, ...]:
    """What there is to take right here; what ends the call comes last."""
    where = at.place, at.call.language, at.call.step
    if where not in walker.here:
        prefix = {"announced": "told, ", "ringing": "rung, "}.get(at.place, "")
        ends = ("9", "hang up", f"{prefix}9", f"{prefix}hang up", "star, nine", "cleared, then nine")
        found = [label for label in labels(walker.step(at.call.step)) if label.startswith(prefix)]
        ordered = sorted(found, key=lambda label: label in ends) if at.place not in ("staff", "over") else []
        walker.here[where] = tuple(("at", at.call.language, at.call.step, label) for label in ordered)
    return walker.here[where]


def _edges(walker: Walker) -> set[Item]:
    return {("edge", *edge) for edge in walker.taken}


def _resumed(walker: Walker) -> set[Item]:
    """The forms that were entered again where they had been left."""
    return {
        ("resumed", one)
        for one, other in walker.taken
        if isinstance(step := walker.step(one), Enter) and other != step.to
    }


def _nearest(walker: Walker, start: Situation, left: set[Item]) -> tuple[Move, ...] | None:
    """The shortest way from here to something that is left to take."""
    first = _like(walker, start)
    walker.known.setdefault(first, start)
    seen, queue = {first}, deque([(first, tuple[Move, ...]())])
    while queue:
        like, way = queue.popleft()
        for what, after, new in _onward(walker, like):
            there = walker.known[after]
            if not (left.isdisjoint(new) and left.isdisjoint(_here(walker, there))):
                return (*way, what)
            if there.place != "over" and after not in seen:
                seen.add(after)
                queue.append((after, (*way, what)))
    return None


def _onward(walker: Walker, like: Like) -> list[tuple[Move, Like, frozenset[Item]]]:
    """Where each sensible move leads from situations like this one; worked out once."""
    if like not in walker.ways:
        at, ways = walker.known[like], []
        for what in _moves(walker.flow, at):
            for tried in (what, replace(what, broken=True)):
                after = walker.move(at, tried)
                new = frozenset(_edges(walker) | (_resumed(walker) if at.call.drafts else set()))
                known = _like(walker, after)
                walker.known.setdefault(known, after)
                ways.append((tried, known, new))
                if not any(isinstance(walker.step(one), Ask) for one, _ in walker.taken):
                    break
        walker.ways[like] = ways
    return walker.ways[like]


def _moves(flow: Flow, at: Situation) -> Iterator[Move]:
    match at.place:
        case "key" | "announced":
            step = flow.steps[at.call.step]
            options = step.options if isinstance(step, Choose) else ()
            yield from (press(option.key) for option in options)
            yield from (press("#"), press("*"), *((SILENCE, press("1")) if at.place == "announced" else (press("0"),)))
        case "digits":
            typed = typed_at(flow.steps[at.call.step])
            yield from (press(f"{typed[: at.most - 1]}#"), press("#"), press("*"))
        case "staff":
            yield press("*")
        case "ringing":
            yield from (Move("dial", outcome="completed"), Move("dial", outcome="no-answer"))


def _like(walker: Walker, at: Situation) -> Like:
    call, needed = at.call, {question.needs for form in walker.flow.forms.values() for question in form.questions}
    here = walker.step(call.step)
    form = getattr(here, "form", None)
    # Where she left another form tells only once she is out of this one, and has none that she left later.
    newest = call.drafts[-1:] if form is None else tuple(one for one in call.drafts[-1:] if one.form == form)
    drafts = tuple(
        (draft.form, draft.adds, draft.is_over)
        if draft not in newest
        else (
            draft.form,
            draft.adds,
            draft.at,
            draft.saved,
            draft.confirmed,
            draft.is_over,
            bool(draft.answers),
            tuple(bool(draft.answer(name)) for name in needed if name and form),
        )
        for draft in sorted(call.drafts, key=lambda draft: (draft.form, draft.adds))
    )
    return at.place, call.step, call.language, call.impatient, drafts, call.trail[-1:], bool(call.about)
