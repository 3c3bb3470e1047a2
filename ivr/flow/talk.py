"""Talks: scripted test calls kept beside a flow, as they are written. What they show is for the rehearsal."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from ivr.flow.diagnostics import ENOUGH, GUESSES, NOWHERE, Diagnostic, Place, listed, shortened, suggest, without_echoes
from ivr.flow.expecting import Expected, Given, Then, given, misanswered, misgiven
from ivr.flow.graph import Flow
from ivr.flow.model import Strict
from ivr.flow.reading import validate
from ivr.flow.rules import (
    bad_time,
    text_cut_by_hash,
    unknown_advocate,
    wrong_type,
)
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
RECEIPT = "receipt"
_ACTS = {
    "press": 'press: "2 1 #"',
    "digits": 'digits: "2125550143"',
    "text": 'text: "VOICE"',
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
    """A string typed in one go; RECEIPT: the one that she was told last."""

    keys: str
    place: Place


@dataclass(frozen=True, slots=True)
class Text:
    """What she writes; RECEIPT: as above."""

    words: str
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


Act = Press | TypeDigits | Text | Hears | Silence | Advocate | Partner | HangsUp


@dataclass(frozen=True, slots=True)
class Talk:
    """One scripted call, or conversation by text. `at` is local time in the flow's zone. `before`: a report of an
    earlier call."""

    name: str
    at: datetime
    on_call: tuple[OnCall, ...]
    backup: tuple[OnCall, ...]
    acts: tuple[Act, ...]
    expected: Expected
    place: Place
    channel: Literal["voice", "text"] = "voice"
    before: Given | None = None


class _Talk(Strict):
    talk: TextOf
    at: Annotated[datetime, PlainValidator(lambda value: _moment(value))]
    on_call: Annotated[tuple[OnCall, ...], PlainValidator(lambda value: _people(value))] = ()
    backup: Annotated[tuple[OnCall, ...], PlainValidator(lambda value: _people(value))] = ()
    channel: Literal["voice", "text"] = "voice"
    before: Annotated[Given | None, PlainValidator(lambda value: given(value))] = None
    call: Annotated[tuple[Act, ...], PlainValidator(lambda value: _acts(value))]
    then: Then | None = None


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
    then = written.then or Then()
    places = {name: place for name in Then.model_fields if (place := _place_of(node, name)) is not None}
    return Talk(
        str(written.talk),
        written.at,
        written.on_call,
        written.backup,
        written.call,
        then.expected(places),
        written.talk.place,
        written.channel,
        written.before,
    )


def _place_of(node: Node, name: str) -> Place | None:
    then = node.get(Word("then", node.place)) if isinstance(node, Table) else None
    keys: Iterable[Word] = then if isinstance(then, Table) else ()
    return next((key.place for key in keys if key == name), None)


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
    if value.cut and name in ("press", "digits", "text"):
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
        case "digits" if _TYPED.match(value) or value == RECEIPT:
            return TypeDigits(str(value), value.place)
        case "text" if value:
            return Text(str(value), value.place)
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
        yield from misanswered(talk.expected, flow)
        if talk.before is not None:
            yield from misgiven(talk.before, flow, day=talk.at.date())


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
