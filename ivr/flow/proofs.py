"""What a flow promises its callers, as figures: proven by walking the compiled graph, not by sampling calls.

Seconds are those of speech.py. *Pressing at once*: she presses a key as soon as it has been told; *in full*: she hears
every sentence to its end."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from msgspec import structs

from ivr.flow.graph import (
    Answered,
    Ask,
    Branch,
    Choose,
    Collect,
    Condition,
    Confirmed,
    End,
    Enter,
    Flow,
    Leave,
    Return,
    SavedBefore,
    Say,
    Speaks,
    Step,
    Wait,
)
from ivr.flow.keys import Add, Put, PutTyped, Record, SpeakIn
from ivr.flow.phrases import Digits, Labels, Phrase, Slot
from ivr.flow.prompts import spoken
from ivr.flow.speech import Spoken, seconds, timeline
from ivr.flow.wants import WantDuty, WantNumber, WantPerson, WantSave
from ivr.flow.wording import opening

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Effort:
    """What something costs a caller: keys, and seconds either way of listening."""

    keys: int
    at_once: float
    in_full: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Language -> figure. `person`: from a press of 0 until phones ring (the press included; two keys where digits
    are being typed). `report`: from pick-up until the first save, every question before it answered."""

    first_key: dict[str, float]
    hears_of_person: dict[str, float]
    person: dict[str, Effort]
    report: dict[str, Effort]


def figures(flow: Flow) -> Figures:
    """Every figure, in every language. A thing that cannot happen takes for ever."""
    languages = flow.languages
    return Figures(
        {language: first_key(flow, language) for language in languages},
        {language: hears_of_person(flow, language) for language in languages},
        {language: person(flow, language) for language in languages},
        {language: report(flow, language) for language in languages},
    )


def first_key(flow: Flow, language: str) -> float:
    """Seconds from pick-up until a key has been told in this language."""
    return min(
        (
            said.ends_at
            for landing in landings(flow, _Caller(flow.start, flow.languages[0]))
            for said in landing.heard(flow)
            if said.keys and said.language == language
        ),
        default=NEVER,
    )


def hears_of_person(flow: Flow, language: str) -> float:
    """Seconds from pick-up until she has been told of the key for a person, whichever keys she presses, hearing every
    sentence in full."""
    return _told_of_person(flow, _Caller(flow.start, flow.languages[0]), language)


def person(flow: Flow, language: str) -> Effort:
    """From the press of 0 to the ringing of phones; the same from every step, for 0 leads to one place."""
    effort = _cheapest(flow, _Caller(flow.person, language), _rings, language)
    return replace(effort, keys=effort.keys + 1)


def report(flow: Flow, language: str) -> Effort:
    """The shortest report: from pick-up to the first save, with the fewest keys."""
    return _cheapest(flow, _Caller(flow.start, flow.languages[0]), _saves, language)


# ---- a caller on the graph ----


@dataclass(frozen=True, slots=True)
class _Caller:
    """Where somebody is, as far as a proof cares: which questions are answered, not how."""

    step: str
    language: str
    answered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Landing:
    """A wait, or an Ask, and what is said on the way to it."""

    caller: _Caller
    said: tuple[Phrase, ...] = ()

    def heard(self, flow: Flow) -> tuple[Spoken, ...]:
        """What a caller hears here until she presses something, with the gaps of a call filled as if nothing had been
        answered yet: read-backs are paid for answer by answer."""
        step = flow.steps[self.caller.step]
        asked: tuple[Phrase, ...] = ()
        if isinstance(step, Choose | Collect):
            asked = opening(step, answered=step.question in self.caller.answered)
        if isinstance(step, Ask) and isinstance(step.want, WantPerson):
            asked = (step.want.told, *(option.told for option in step.want.options))
        if isinstance(step, Ask) and isinstance(step.want, WantNumber):
            asked = (step.want.told,)
        phrases = tuple(_filled(said, flow, step) for said in (*self.said, *asked))
        return tuple(timeline(phrases, self.caller.language, flow.catalogues))


def _filled(said: Phrase, flow: Flow, step: Step) -> Phrase:
    values = tuple(
        (name, value if not isinstance(value, Slot) else _stand_in(value, flow, step)) for name, value in said.values
    )
    return structs.replace(said, values=values)


def _stand_in(slot: Slot, flow: Flow, step: Step) -> Labels | Digits:
    if slot is Slot.TYPED and isinstance(step, Choose) and step.back is not None:
        typed_at = flow.steps[step.back]
        return Digits("0" * typed_at.least) if isinstance(typed_at, Collect) else Digits("")
    return Digits("0" * 12) if slot is Slot.RECEIPT else Labels(())


def landings(flow: Flow, caller: _Caller) -> Iterator[_Landing]:
    """Where a caller comes to rest from a step, by every way that the clock or the world may decide."""
    yield from _fall(flow, caller, (), frozenset())


def _fall(flow: Flow, caller: _Caller, said: tuple[Phrase, ...], passed: frozenset[str]) -> Iterator[_Landing]:
    if caller.step in passed:
        return
    step = flow.steps[caller.step]
    passed |= {caller.step}

    def on(target: str, *more: Phrase) -> Iterator[_Landing]:
        return _fall(flow, replace(caller, step=target), (*said, *more), passed)

    match step:
        case Say():
            yield from on(step.to, step.told)
        case Enter() | Leave():
            yield from on(step.to)
        case Branch():
            decided = _decided(step.condition, caller)
            yield from on(step.yes) if decided is not False else ()
            yield from on(step.no) if decided is not True else ()
        case Ask(want=WantDuty()):
            yield from on(step.yes)
            yield from on(step.no)
        case Choose() | Collect() | Ask():
            yield _Landing(caller, said)
        case End() | Return():
            return


def _decided(condition: Condition, caller: _Caller) -> bool | None:
    match condition:
        case Speaks():
            return condition.language == caller.language
        case Answered():
            return condition.question in caller.answered if condition.question else bool(caller.answered)
        case SavedBefore() | Confirmed():
            return False
        case _:
            return None


# ---- the cheapest way ----


@dataclass(frozen=True, slots=True)
class _Move:
    """One press: where it leads, what reading its answer back will cost, and how many keys beside the first."""

    key: str
    caller: _Caller
    read_back: float = 0.0
    more_keys: int = 0


def _cheapest(flow: Flow, start: _Caller, is_goal: Callable[[Step], bool], language: str) -> Effort:
    """Fewest keys; among those, least speech: once pressing at once, once hearing all."""
    at_once = _search(flow, start, is_goal, language, in_full=False)
    in_full = _search(flow, start, is_goal, language, in_full=True)
    if at_once is None or in_full is None:
        return Effort(0, NEVER, NEVER)
    return Effort(at_once[0], at_once[1], in_full[1])


def _search(
    flow: Flow, start: _Caller, is_goal: Callable[[Step], bool], language: str, *, in_full: bool
) -> tuple[int, float] | None:
    order = count()
    queue = [(0, 0.0, next(order), landing) for landing in landings(flow, start)]
    heapq.heapify(queue)
    done: set[tuple[_Caller, tuple[Phrase, ...]]] = set()
    while queue:
        keys, spent, _, landing = heapq.heappop(queue)
        if (landing.caller, landing.said) in done:
            continue
        done.add((landing.caller, landing.said))
        heard = landing.heard(flow)
        step = flow.steps[landing.caller.step]
        if is_goal(step):
            return keys, spent + (heard[-1].ends_at if heard and isinstance(step, Ask) else 0.0)
        if not isinstance(step, Choose | Collect):
            continue
        for move in _moves(flow, step, landing.caller, language):
            told = _told_at(heard, move.key, in_full=in_full)
            cost = spent + told + move.read_back
            for after in landings(flow, move.caller):
                heapq.heappush(queue, (keys + 1 + move.more_keys, cost, next(order), after))
    return None


def _told_at(heard: tuple[Spoken, ...], key: str, *, in_full: bool) -> float:
    if not in_full:
        for said in heard:
            if key in said.keys:
                return said.ends_at
    return heard[-1].ends_at if heard else 0.0


def _moves(flow: Flow, step: Wait, caller: _Caller, language: str) -> Iterator[_Move]:
    if isinstance(step, Collect):
        yield _Move("#", replace(caller, step=step.to), more_keys=step.least)
        return
    for option in step.options:
        if not isinstance(option.record, SpeakIn) or option.record.language == language:
            yield _move(flow, step, caller, key=option.key, to=option.to, record=option.record)
    if step.onward.to is not None and not _skips(step, caller):
        yield _move(flow, step, caller, key="#", to=step.onward.to, record=step.onward.record)


def _skips(step: Choose, caller: _Caller) -> bool:
    """Would `#` leave the question open, or leave the language to chance?"""
    chooses_language = any(isinstance(option.record, SpeakIn) for option in step.options)
    is_open = step.question is not None and step.question not in caller.answered and step.onward.record is None
    return chooses_language or is_open


def _move(flow: Flow, step: Choose, caller: _Caller, *, key: str, to: str, record: Record | None) -> _Move:
    spoken_in = record.language if isinstance(record, SpeakIn) else caller.language
    after = replace(caller, step=to, language=spoken_in)
    if not isinstance(record, Put | Add | PutTyped):
        return _Move(key, after)
    text = (", " if caller.answered else "") + _read_back_text(flow, record, step, spoken_in)
    answered = caller.answered | {record.question}
    return _Move(key, replace(after, answered=answered), read_back=seconds(text, spoken_in))


def _read_back_text(flow: Flow, record: Record | None, step: Choose, language: str) -> str:
    if isinstance(record, Put | Add):
        return flow.catalogues[language].label(f"{step.form}.{record.question}.{record.code}")
    typed_at = flow.steps[step.back] if step.back else None
    return spoken("0" * typed_at.least) if isinstance(typed_at, Collect) else ""


def _rings(step: Step) -> bool:
    return isinstance(step, Ask) and isinstance(step.want, WantPerson)


def _saves(step: Step) -> bool:
    return isinstance(step, Ask) and isinstance(step.want, WantSave) and not step.want.nights


@dataclass(frozen=True, slots=True)
class _Listening:
    """One wait on the way: seconds until she is told of a person, or until it has all been said and she presses on."""

    seconds: float
    then: tuple[_Caller, ...]


def _told_of_person(flow: Flow, start: _Caller, language: str) -> float:
    """The longest way until she is told; for ever where she can go round without being told. Every place once."""
    stops: dict[_Caller, list[_Listening]] = {}
    worst: dict[_Caller, float] = {}
    waiting = [start]
    while waiting:
        caller = waiting[-1]
        if caller not in stops:
            stops[caller] = list(_listening(flow, caller, language))
            after = dict.fromkeys(then for stop in stops[caller] for then in stop.then)
            waiting.extend(then for then in after if then not in stops)
            continue
        waiting.pop()
        if caller not in worst:
            worst[caller] = max((_until_told(stop, worst) for stop in stops[caller]), default=0.0)
    return worst[start]


def _until_told(stop: _Listening, worst: dict[_Caller, float]) -> float:
    """A place that is not yet known lies on the way here: she goes round."""
    return stop.seconds + max((worst.get(then, NEVER) for then in stop.then), default=0.0)


def _listening(flow: Flow, caller: _Caller, language: str) -> Iterator[_Listening]:
    for landing in landings(flow, caller):
        step = flow.steps[landing.caller.step]
        if not isinstance(step, Choose | Collect):
            continue
        heard = landing.heard(flow)
        told = next((said.ends_at for said in heard if "0" in said.keys and said.language == language), None)
        if told is not None:
            yield _Listening(told, ())
            continue
        then = tuple(move.caller for move in _moves(flow, step, landing.caller, language))
        yield _Listening(heard[-1].ends_at if then else NEVER, then)
