"""Talks: scripted test calls kept beside a flow, as they are written. What they show is for the rehearsal."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from ivr.flow.diagnostics import ENOUGH, GUESSES, NOWHERE, Diagnostic, Place, listed, shortened, suggest, without_echoes
from ivr.flow.graph import Flow
from ivr.flow.line import CONSENTS
from ivr.flow.model import Strict
from ivr.flow.reading import validate
from ivr.flow.rules import bad_time, text_cut_by_hash, unknown_advocate, unknown_code, unknown_question, wrong_type
from ivr.flow.source import Items, Node, Table, Word, read
from ivr.flow.values import TextOf, kind_of, problems_of, refuse, refused

_HEARS = re.compile(r"(\S+?)(?: in ([a-z]{2,3}(?:-[A-Z]{2})?))?\Z")
_ADVOCATE = re.compile(
    r"([a-z][a-z0-9_]*) "
    r"(takes the call|passes|sleeps|hangs up|answers|says nothing|is busy|cannot be reached|presses [0-9*#])\Z"
)
_ADVOCATE_HEARS = re.compile(r"([a-z][a-z0-9_]*) hears (\S+?)(?: in ([a-z]{2,3}(?:-[A-Z]{2})?))?\Z")
_ON_CALL = re.compile(r"([a-z][a-z0-9_]*)(?: in ([a-z]{2,3}(?:-[A-Z]{2})?))?\Z")
_PARTNER = {"answers": True, "does not answer": False}
_PRESSED = re.compile(r"[0-9*#]( +[0-9*#])*\Z")
_TYPED = re.compile(r"[0-9*#]+\Z")
_MOST_ACTS = 1000
_TRANSFER = re.compile(r"nobody\Z|taken by [a-z][a-z0-9_]*\Z")
_ACTS = {
    "press": 'press: "2 1 #"',
    "digits": 'digits: "2125550143"',
    "hears": "hears: goodbye in es",
    "silence": "silence: 2 times",
    "advocate": "advocate: bo takes the call",
    "partner": "partner: answers",
}
_TIMES = re.compile(r"(\d{1,2}) times?\Z")


@dataclass(frozen=True, slots=True)
class Press:
    """Keys, one after the other, each at a wait of its own."""

    keys: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class TypeDigits:
    """A string typed in one go."""

    keys: str
    place: Place


@dataclass(frozen=True, slots=True)
class Hears:
    """A prompt that was said after the last press. `language` None: in any. `who`: an advocate, or the caller."""

    prompt: str
    language: str | None
    place: Place
    who: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    times: int
    place: Place


@dataclass(frozen=True, slots=True)
class OnCall:
    """Somebody who is on call during a talk. `language` None: she speaks all of the flow's."""

    name: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Advocate:
    """What somebody on call does with her ringing phone, or with the call she took."""

    who: str
    does: str
    place: Place


@dataclass(frozen=True, slots=True)
class Partner:
    """What becomes of a call that is put through to a number outside."""

    talks: bool
    place: Place


@dataclass(frozen=True, slots=True)
class HangsUp:
    place: Place


Kept = dict[str, tuple[str, ...]]
"""Question -> the codes or digits that a report must hold."""

Act = Press | TypeDigits | Hears | Silence | Advocate | Partner | HangsUp


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be true after the call. None: not said. An empty tuple of reports: none is kept."""

    reports: tuple[Kept, ...] | None
    report_place: Place
    transfers: tuple[str, ...] | None
    transfers_place: Place


@dataclass(frozen=True, slots=True)
class Talk:
    """One scripted call. `at` is local time in the flow's zone."""

    name: str
    at: datetime
    on_call: tuple[OnCall, ...]
    backup: tuple[OnCall, ...]
    acts: tuple[Act, ...]
    expected: Expected
    place: Place


class _Talk(Strict):
    talk: TextOf
    at: Annotated[datetime, PlainValidator(lambda value: _moment(value))]
    on_call: Annotated[tuple[OnCall, ...], PlainValidator(lambda value: _people(value))] = ()
    backup: Annotated[tuple[OnCall, ...], PlainValidator(lambda value: _people(value))] = ()
    call: Annotated[tuple[Act, ...], PlainValidator(lambda value: _acts(value))]
    then: "_Then | None" = None


class _Then(Strict):
    report: Annotated[tuple[Kept, ...] | None, PlainValidator(lambda value: _reports(value))] = None
    transfers: Annotated[tuple[str, ...] | None, PlainValidator(lambda value: _transfers(value))] = None


def read_talks(file: str, content: bytes) -> tuple[tuple[Talk, ...], tuple[Diagnostic, ...]]:
    """The talks of a file, and what is wrong with those that could not be read."""
    source = read(file, content)
    found = list(source.found)
    if source.tree is None:
        return (), tuple(found)
    if not isinstance(source.tree, Items):
        cure = "Begin each with `- talk: NAME`."
        found.append(wrong_type.found(source.tree.place, "This file is not a list of talks.", cure))
        return (), tuple(found)
    talks = [_talk(node, found) for node in source.tree if len(found) < ENOUGH]
    return tuple(talk for talk in talks if talk is not None), tuple(without_echoes(found))


def _talk(node: Node, found: list[Diagnostic]) -> Talk | None:
    written = validate(_Talk, node, found, owner="The talk", place=node.place)
    if written is None:
        return None
    then = written.then or _Then()
    expected = Expected(then.report, _place_of(node, "report"), then.transfers, _place_of(node, "transfers"))
    return Talk(
        str(written.talk), written.at, written.on_call, written.backup, written.call, expected, written.talk.place
    )


def _place_of(node: Node, name: str) -> Place:
    then = node.get(Word("then", node.place)) if isinstance(node, Table) else None
    keys: Iterable[Word] = then if isinstance(then, Table) else ()
    return next((key.place for key in keys if key == name), node.place)


def _people(value: Any) -> tuple[OnCall, ...]:
    """Names, each alone or with the one language that she speaks."""
    if not isinstance(value, Items):
        refuse("wrong-type", f"Here a list is wanted, not {kind_of(value)}.", "Write `[ana, bo in es]`, or `[]`.")
    people: list[OnCall] = []
    for node in value:
        match = _ON_CALL.match(node) if isinstance(node, Word) else None
        if match is None:
            shown = f"`{shortened(node)}`" if isinstance(node, Word) else kind_of(node)
            refuse("wrong-type", f"Nobody is called {shown}.", "Write a name, `ana`, or `ana in es`.", node.place)
        people.append(OnCall(match[1], match[2]))
    return tuple(people)


def _moment(value: Any) -> datetime:
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M")  # noqa: DTZ007  # local time; the flow has the zone
    except ValueError:
        raise refused([bad_time.moment(value if isinstance(value, Word) else kind_of(value), NOWHERE)]) from None


def _acts(value: Any) -> tuple[Act, ...]:
    if not isinstance(value, Items):
        refuse(
            "wrong-type", "A call is a list of what happens.", 'Write one thing a line: `- press: "1"`, `- hang up`.'
        )
    acts: list[Act] = []
    problems: list[Diagnostic] = []
    for node in value[:_MOST_ACTS]:
        try:
            acts.append(_act(node))
        except PydanticCustomError as error:
            problems.extend(problems_of(error, node.place))
    if problems:
        raise refused(problems[:ENOUGH])
    return tuple(acts)


def _act(node: Node) -> Act:
    if isinstance(node, Word):
        if node == "silence":
            return Silence(1, node.place)
        if node == "hang up":
            return HangsUp(node.place)
        refuse("wrong-type", f"`{shortened(node)}` is nothing that happens in a call.", _did_you_mean(node))
    if isinstance(node, Items) or len(node) != 1:
        refuse("wrong-type", "Each line of a call tells one thing.", 'Write `- press: "2 1 #"`, and the next below it.')
    [(name, value)] = node.items()
    if name not in _ACTS:
        refuse("wrong-type", f"`{shortened(name)}` is nothing that happens in a call.", _did_you_mean(name), name.place)
    if not isinstance(value, Word):
        refuse("wrong-type", f"Here one word is wanted, not {kind_of(value)}.", f"Write `{_ACTS[name]}`.", name.place)
    if value.cut and name in ("press", "digits"):
        raise refused([text_cut_by_hash.keys(value.place)])
    act = _named(name, value)
    if act is None:
        message = f"`{shortened(value)}` is not what `{name}` takes." if value else f"`{name}` takes something."
        refuse("wrong-type", message, f"Write it like `{_ACTS[name]}`.", value.place if value else name.place)
    return act


def _did_you_mean(word: Word) -> str:
    known = [*_ACTS, "silence", "hang up"]
    return suggest(word.partition(":")[0], known, otherwise=f"Known are {listed(known)}.")


def _named(name: Word, value: Word) -> Act | None:
    match str(name):
        case "press" if _PRESSED.match(value):
            return Press(tuple(value.split()), value.place)
        case "digits" if _TYPED.match(value):
            return TypeDigits(str(value), value.place)
        case "hears" if match := _HEARS.match(value):
            return Hears(match[1], match[2], value.place)
        case "silence" if match := _TIMES.match(value):
            return Silence(int(match[1]), value.place)
        case "partner" if value in _PARTNER:
            return Partner(_PARTNER[value], value.place)
        case "advocate" if match := _ADVOCATE_HEARS.match(value):
            return Hears(match[2], match[3], value.place, match[1])
        case "advocate" if match := _ADVOCATE.match(value):
            return Advocate(match[1], match[2], value.place)
        case _:
            return None


def _reports(value: Any) -> tuple[Kept, ...]:
    """`none`, one report, or a list of them in the order in which they were begun."""
    if value == "none":
        return ()
    return tuple(map(_report, value)) if isinstance(value, Items) else (_report(value),)


def _report(value: Any) -> Kept:
    """Its names and codes are Words: they know their places."""
    if not isinstance(value, Table):
        refuse("wrong-type", "A report is `none`, or its answers.", "Write `{ what: [taken], when: today }`.")
    return {name: _codes(name, node) for name, node in value.items()}


def _codes(name: Word, node: Node) -> tuple[str, ...]:
    codes = tuple(node) if isinstance(node, Items) else (node,)
    words = tuple(code for code in codes if isinstance(code, Word) and code)
    if len(words) != len(codes):
        message = f"The answer to `{name}` is a code, or a list of codes."
        refuse("wrong-type", message, "Write `when: today` or `what: [taken, weapon]`.", name.place)
    return words


def _transfers(value: Any) -> tuple[str, ...]:
    if not isinstance(value, Items):
        refuse("wrong-type", "Transfers are a list.", "Write `[taken by bo]` or `[nobody]`.")
    for node in value:
        if not isinstance(node, Word) or not _TRANSFER.match(node):
            shown = f"`{shortened(node)}`" if isinstance(node, Word) else kind_of(node)
            refuse("wrong-type", f"No transfer ends as {shown}.", "Write `taken by WHO` or `nobody`.", node.place)
    return tuple(str(item) for item in value)


def misnamed(talks: Iterable[Talk], flow: Flow) -> Iterable[Diagnostic]:
    """Prompts, languages, answers and advocates that talks name and nothing has."""
    yield from islice(_misnamed(talks, flow), GUESSES)


def _misnamed(talks: Iterable[Talk], flow: Flow) -> Iterator[Diagnostic]:
    for talk in talks:
        named = {act.who: act for act in reversed(talk.acts) if isinstance(act, Advocate | Hears) and act.who}
        on_call = tuple(one.name for one in (*talk.on_call, *talk.backup))
        for who in named.keys() - set(on_call):
            yield unknown_advocate.found(who, on_call=on_call, place=named[who].place)
        for act in talk.acts:
            yield from _misheard(act, flow)
        yield from _misanswered(talk.expected, flow)


def _misheard(act: Act, flow: Flow) -> Iterator[Diagnostic]:
    if not isinstance(act, Hears):
        return
    prompts = flow.catalogues[flow.languages[0]].prompts
    if act.prompt not in prompts:
        cure = suggest(act.prompt, prompts, otherwise="Name a prompt of prompts/*.yaml, or `line.NAME`.")
        yield Diagnostic(act.place, "missing-prompt", f"There is no prompt `{shortened(act.prompt)}`.", cure)
    if act.language is not None and act.language not in flow.languages:
        cure = suggest(act.language, flow.languages, otherwise=f"It speaks {listed(flow.languages)}.")
        yield wrong_type.found(act.place, f"The flow does not speak `{act.language}`.", cure)


def _misanswered(expected: Expected, flow: Flow) -> Iterator[Diagnostic]:
    codes: dict[str, set[str]] = {"consent": set(CONSENTS)}
    typed: set[str] = set()
    for question in (question for form in flow.forms.values() for question in form.questions):
        codes.setdefault(question.name, set()).update(code.name for code in question.codes)
        typed.update([question.name] if question.kind == "digits" else ())
    for name, answers in (answered for report in expected.reports or () for answered in report.items()):
        if name not in codes:
            place = name.place if isinstance(name, Word) else expected.report_place
            yield unknown_question.found(name, questions=codes, place=place)
            continue
        for answer in answers if name not in typed else ():
            if answer not in codes[name]:
                place = answer.place if isinstance(answer, Word) else expected.report_place
                yield unknown_code.found(answer, question=name, codes=sorted(codes[name]), place=place)
