"""How many messages a text takes: proven for every wait of a compiled flow, in every language, over every way to it.

At a wait she may be sent its question, with all that is said on the way to it and upon what the world answers there, or
what follows an answer that is none. Gaps that only a conversation can fill stand in with the shortest that fits: one
answer, the fewest digits. Not counted is what a conversation itself tells: that the line has changed meanwhile, what to
do in an emergency, how to forget."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from ivr.flow.graph import Ask, Branch, Choose, Collect, Flow, Say, Speaks, Step, Wait, onward
from ivr.flow.keys import SpeakIn
from ivr.flow.message import Piece, joined, piece
from ivr.flow.phrases import Digits, Label, Labels, Phrase, Slot, Value, phrase
from ivr.flow.replies import BY_PHONE, Said, told_upon
from ivr.flow.segments import EXTENSION, Segments, is_gsm, segments
from ivr.flow.wants import WantOpen, WantPerson
from ivr.flow.wording import after_wrong_key, opening

RECEIPT = Digits("0" * 12)
LED_TO_PERSON = phrase("line.silence_person")

HERE = ""
"""Stands for the wait at which she was, where a way leads back to it, whichever it is."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The longest text at one wait."""

    wait: str
    language: str
    said: Said
    text: str
    segments: Segments


def longest(flow: Flow) -> Iterator[Sent]:
    """Of every wait, in every language."""
    for language in flow.languages:
        writer = _Writer(flow, language)
        ways = _ways(writer)
        for wait in flow.waits():
            yield _longest(writer, wait, ways.get(wait.name, frozenset()) | {()})


def greeting(flow: Flow, language: str) -> tuple[Said, str | None]:
    """What a text that begins a conversation in a language is answered with first, and the key that she need not press
    for it any more; nothing and None where a flow begins otherwise than with the choice of a language."""
    start = flow.steps[flow.start]
    for option in start.options if isinstance(start, Choose) else ():
        if isinstance(option.record, SpeakIn) and option.record.language == language:
            return (option.lead,) if option.lead is not None else (), option.key
    return (), None


@dataclass(slots=True)
class _Writer:
    """Texts in one language. Most phrases are part of many: each is written once."""

    flow: Flow
    language: str
    known: dict[Phrase, Piece] = field(default_factory=dict)

    def text(self, said: Said) -> str:
        return joined([self.known.get(one) or self._piece(one) for one in said])

    def _piece(self, one: Phrase) -> Piece:
        self.known[one] = piece(one, self.language, self.flow.catalogues)
        return self.known[one]


def _longest(writer: _Writer, wait: Wait, ways: Iterable[Said]) -> Sent:
    asked = [opening(wait, answered=answered) for answered in ((False, True) if wait.kept is not None else (False,))]
    every = [*((*way, *said) for way in ways for said in asked), after_wrong_key(wait, first=True)]
    is_private = any(one.is_private for said in every for one in said)
    gaps = _stand_ins(writer.flow, wait, writer.language) if is_private else {}
    sent = (_sent(writer, wait, tuple(one.filled(gaps) for one in said) if gaps else said) for said in every)
    return max(sent, key=lambda one: (one.segments.messages, one.segments.characters, one.text))


def _sent(writer: _Writer, wait: Wait, said: Said) -> Sent:
    text = writer.text(said)
    return Sent(wait.name, writer.language, said, text, segments(text))


# ---- gaps ----


def _stand_ins(flow: Flow, wait: Wait, language: str) -> dict[Slot, Value]:
    typed_at = flow.steps[wait.back] if isinstance(wait, Choose) and wait.back is not None else wait
    typed = Digits("0" * typed_at.least) if isinstance(typed_at, Collect) else Digits("")
    answer = _shortest_label(flow, wait, language, wait.question)
    answers = _shortest_label(flow, wait, language, None)
    return {
        Slot.ANSWER: Labels((answer or typed,)),
        Slot.ANSWERS: Labels((answers or typed,)),
        Slot.TYPED: typed,
        Slot.RECEIPT: RECEIPT,
    }


def _shortest_label(flow: Flow, wait: Wait, language: str, question: str | None) -> Label | None:
    if wait.form is None:
        return None
    labels = [
        Label(f"{wait.form}.{asked.name}.{code.name}")
        for asked in flow.forms[wait.form].questions
        if question in (None, asked.name)
        for code in asked.codes
    ]
    return min(labels, key=lambda label: len(flow.catalogues[language].sign(label)), default=None)


# ---- ways ----


def _ways(writer: _Writer) -> dict[str, frozenset[Said]]:
    """Wait -> the longest that may be said on the way to it: from every step that an answer may lead to, through all
    that waits for nobody, whatever the clock and the world decide."""
    flow, known = writer.flow, _Ways(writer)
    waits = {wait.name for wait in flow.waits()}
    entries: dict[str, set[str]] = {flow.leave: set()}
    for wait in flow.waits():
        for to in onward(wait):
            entries.setdefault(to, set()).add(wait.name)
    entries[flow.person] = waits
    begun, key = greeting(flow, writer.language)
    start = flow.steps[flow.start]
    first = {option.to for option in (start.options if isinstance(start, Choose) else ()) if option.key == key}
    ways: dict[str, set[Said]] = {}
    led: list[tuple[str, Said, set[str]]] = [(entry, (), here) for entry, here in entries.items()]
    led += [(entry, begun, waits & {flow.start}) for entry in first] + [(flow.person, (LED_TO_PERSON,), waits)]
    for entry, before, here in led:
        for to, after in known.of(entry).items():
            for name in here if to == HERE else (to,):
                ways.setdefault(name, set()).update((*before, *said) for said in after)
    return {name: known.longest(said) for name, said in ways.items()}


@dataclass(slots=True)
class _Ways:
    """Step -> wait -> what may be said from here to there. Only what could be the longest is kept, so that many forks
    in a row cost little. The checker proves that steps which wait for nobody do not go round."""

    writer: _Writer
    known: dict[str, dict[str, frozenset[Said]]] = field(default_factory=dict)

    def of(self, start: str) -> dict[str, frozenset[Said]]:
        todo, begun, steps = [start], set[str](), self.writer.flow.steps
        while todo:
            name = todo[-1]
            if name in begun or name in self.known:
                todo.pop()
                self.known.setdefault(name, self._here(steps[name]))
                continue
            begun.add(name)
            todo += [to for to in self._next(steps[name]) if to not in begun]
        return self.known[start]

    def _here(self, step: Step) -> dict[str, frozenset[Said]]:
        if isinstance(step, Choose | Collect):
            return {step.name: frozenset({()})}
        ways: dict[str, set[Said]] = {}
        for to in self._next(step):
            for wait, after in self.known.get(to, {}).items():
                ways.setdefault(wait, set()).update({(*told, *said) for told in _told(step, to) for said in after})
        if isinstance(step, Ask) and isinstance(step.want, WantPerson):
            ways.setdefault(HERE, set()).add(BY_PHONE)
        return {wait: self.longest(said) for wait, said in ways.items()}

    def _next(self, step: Step) -> tuple[str, ...]:
        if isinstance(step, Choose | Collect):
            return ()
        if isinstance(step, Branch) and isinstance(step.condition, Speaks):
            return (step.yes if step.condition.language == self.writer.language else step.no,)
        if isinstance(step, Ask):
            return (step.yes, step.no, *([step.want.gone] if isinstance(step.want, WantOpen) else []))
        return tuple(onward(step))

    def longest(self, ways: Collection[Said]) -> frozenset[Said]:
        """Without those that another one outdoes in every way of counting."""
        if len(ways) == 1:
            return frozenset(ways)
        kept: dict[Said, tuple[int, int, bool]] = {}
        for said in sorted(ways, key=len):
            size = self._size(said)
            if not any(_outdoes(other, size) for other in kept.values()):
                kept = {one: other for one, other in kept.items() if not _outdoes(size, other)}
                kept[said] = size
        return frozenset(kept)

    def _size(self, said: Said) -> tuple[int, int, bool]:
        """Places in GSM-7 and in UCS-2, and whether it must be UCS-2."""
        text = self.writer.text(said)
        escaped = sum(map(text.count, EXTENSION))
        return len(text) + escaped, len(text.encode("utf-16-le")) // 2, not is_gsm(text)


def _told(step: Step, to: str) -> set[Said]:
    """What may be said at a step before it leads to another."""
    if isinstance(step, Say):
        return {(step.told,)}
    if not isinstance(step, Ask):
        return {()}
    answers = [yes for yes, where in ((True, step.yes), (False, step.no)) if where == to]
    return {said for yes in answers for said in told_upon(step.want, yes=yes)} or {()}


def _outdoes(one: tuple[int, int, bool], other: tuple[int, int, bool]) -> bool:
    return all(mine >= yours for mine, yours in zip(one, other, strict=True))
