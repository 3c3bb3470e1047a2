"""Talks: scripted test calls kept beside a flow, as they are written. What they show is for the rehearsal."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from ivr.flow.diagnostics import Diagnostic, Place, suggest
from ivr.flow.graph import Flow
from ivr.flow.model import Name, Strict, refuse
from ivr.flow.reading import validate
from ivr.flow.rules import unknown_question, wrong_type
from ivr.flow.source import Items, Node, Table, Word, read

_HEARS = re.compile(r"(\S+?)(?: in ([a-z]{2,3}(?:-[A-Z]{2})?))?\Z")
_ADVOCATE = re.compile(r"([a-z][a-z0-9_]*) (takes the call|passes|sleeps|hangs up)\Z")
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
    """A prompt that was said after the last press. `language` None: in any."""

    prompt: str
    language: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Silence:
    times: int
    place: Place


@dataclass(frozen=True, slots=True)
class Advocate:
    """What somebody on call does with her ringing phone, or with the call she took."""

    who: str
    does: str
    place: Place


@dataclass(frozen=True, slots=True)
class HangsUp:
    place: Place


Act = Press | TypeDigits | Hears | Silence | Advocate | HangsUp


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be true after the call. None: not said. A report maps questions to codes; empty: there is none."""

    report: dict[str, tuple[str, ...]] | None
    report_place: Place
    transfers: tuple[str, ...] | None
    transfers_place: Place


@dataclass(frozen=True, slots=True)
class Talk:
    """One scripted call. `at` is local time in the flow's zone."""

    name: str
    at: datetime
    on_call: tuple[str, ...]
    acts: tuple[Act, ...]
    expected: Expected
    place: Place


class _Talk(Strict):
    talk: Annotated[Word, PlainValidator(lambda value: _text(value))]
    at: Annotated[datetime, PlainValidator(lambda value: _moment(value))]
    on_call: list[Name] = Field(default_factory=list)
    call: Annotated[tuple[Act, ...], PlainValidator(lambda value: _acts(value))]
    then: "_Then | None" = None


class _Then(Strict):
    report: Annotated[dict[str, tuple[str, ...]] | None, PlainValidator(lambda value: _report(value))] = None
    transfers: Annotated[tuple[str, ...] | None, PlainValidator(lambda value: _transfers(value))] = None


def read_talks(file: str, content: bytes) -> tuple[tuple[Talk, ...], tuple[Diagnostic, ...]]:
    """The talks of a file, and what is wrong with those that could not be read."""
    source = read(file, content)
    found = list(source.found)
    if source.tree is None:
        return (), tuple(found)
    if not isinstance(source.tree, Items):
        found.append(wrong_type.found(source.tree.place, "This file is not a list of talks.", "Begin each with `- talk: NAME`."))
        return (), tuple(found)
    talks = [_talk(node, found) for node in source.tree]
    return tuple(talk for talk in talks if talk is not None), tuple(found)


def _talk(node: Node, found: list[Diagnostic]) -> Talk | None:
    written = validate(_Talk, node, found, owner="The talk", place=node.place)
    if written is None:
        return None
    then = written.then or _Then()
    expected = Expected(then.report, _place_of(node, "report"), then.transfers, _place_of(node, "transfers"))
    on_call = tuple(map(str, written.on_call))
    return Talk(str(written.talk), written.at, on_call, written.call, expected, written.talk.place)


def _place_of(node: Node, name: str) -> Place:
    then = node.get(Word("then", node.place)) if isinstance(node, Table) else None
    keys: Iterable[Word] = then if isinstance(then, Table) else ()
    return next((key.place for key in keys if key == name), node.place)


def _text(value: Any) -> Word:
    if not isinstance(value, Word) or not value:
        refuse("wrong-type", "A talk needs a name.", "Write a sentence that says what happens: `- talk: A caller ...`.")
    return value


def _moment(value: Any) -> datetime:
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M")  # noqa: DTZ007  # local time; the flow has the zone
    except ValueError:
        refuse("bad-time", f"`{value}` is not a date and a time.", "Write it as `2027-03-13 23:55`.")


def _acts(value: Any) -> tuple[Act, ...]:
    if not isinstance(value, Items):
        refuse("wrong-type", "A call is a list.", 'Write one thing a line: `- press: "1"`, `- hang up`.')
    return tuple(_act(node) for node in value)


def _act(node: Node) -> Act:
    if isinstance(node, Word):
        if node == "silence":
            return Silence(1, node.place)
        if node == "hang up":
            return HangsUp(node.place)
    elif isinstance(node, Table) and len(node) == 1:
        [(name, value)] = node.items()
        if isinstance(value, Word):
            act = _named(name, value)
            if act is not None:
                return act
    refuse(
        "wrong-type",
        "Nothing of this kind happens in a call.",
        'Known are `press: "2 1 #"`, `digits: "..."`, `hears: PROMPT`, `silence`, `advocate: WHO takes the call`, `hang up`.',
    )


def _named(name: Word, value: Word) -> Act | None:
    match str(name):
        case "press":
            return Press(tuple(value.split()), value.place)
        case "digits":
            return TypeDigits(str(value), value.place)
        case "hears" if match := _HEARS.match(value):
            return Hears(match[1], match[2], value.place)
        case "silence" if match := _TIMES.match(value):
            return Silence(int(match[1]), value.place)
        case "advocate" if match := _ADVOCATE.match(value):
            return Advocate(match[1], match[2], value.place)
        case _:
            return None


def _report(value: Any) -> dict[str, tuple[str, ...]]:
    if value == "none":
        return {}
    if not isinstance(value, Table):
        refuse("wrong-type", "A report is `none`, or its answers.", "Write `{ what: [taken], when: today }`.")
    return {
        str(name): tuple(str(part) for part in node) if isinstance(node, Items) else (str(node),)
        for name, node in value.items()
    }


def _transfers(value: Any) -> tuple[str, ...]:
    if not isinstance(value, Items):
        refuse("wrong-type", "Transfers are a list.", "Write `[taken by bo]` or `[nobody]`.")
    return tuple(str(item) for item in value)


def misnamed(talks: Iterable[Talk], flow: Flow) -> Iterable[Diagnostic]:
    """Prompts and answers that talks name and nothing has."""
    prompts = flow.catalogues[flow.languages[0]].prompts
    questions = {question.name for form in flow.forms.values() for question in form.questions} | {"consent"}
    for talk in talks:
        for act in talk.acts:
            if isinstance(act, Hears) and act.prompt not in prompts:
                cure = suggest(act.prompt, prompts, otherwise="Name a prompt of prompts/*.yaml, or `line.NAME`.")
                yield Diagnostic(act.place, "missing-prompt", f"There is no prompt `{act.prompt}`.", cure)
        for question in talk.expected.report or ():
            if question not in questions:
                yield unknown_question.found(question, questions=questions, place=talk.expected.report_place)
