"""What an admin may write: one small strict model per verb, and the files they stand in. Every word keeps its place.

These models know shapes only; whether a name leads anywhere is for the rules."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Literal, NoReturn
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, PlainValidator, SkipValidation
from pydantic_core import PydanticCustomError

from ivr.flow.diagnostics import Place
from ivr.flow.rules import bad_name
from ivr.flow.source import Items, Table, Word

_SPAN = re.compile(r"(\d{1,4})\s*(s|seconds?|min|minutes?|hours?|days?)\Z")
_SECONDS_IN = {"s": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600, "day": 86400}
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\Z")
_RANGE = re.compile(r"(\d{1,2}) to (\d{1,2})\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?\Z")

PHONE_DIGITS = (7, 15)
"""The shortest local number people dial, and the longest that E.164 allows."""

MOST_TYPED = 31
"""Plivo takes at most 32 digits in one go, and one place is kept for the `#`."""


def refuse(code: str, message: str, cure: str) -> NoReturn:
    """Stop validating this value: the diagnostic `code`, with its sentence and its cure."""
    raise PydanticCustomError(code, "{message}", {"message": message, "cure": cure})


def _word(value: Any, *, what: str) -> Word:
    if not isinstance(value, Word):
        refuse("wrong-type", f"Here {what} is wanted, not a {kind_of(value)}.", f"Write {what} on this line.")
    return value


def kind_of(value: Any) -> str:
    """What a node is, in an admin's words."""
    return "list" if isinstance(value, Items) else "table of `name: value` lines" if isinstance(value, Table) else "word"


def _name(value: Any) -> Word:
    word = _word(value, what="a name")
    if not word:
        refuse("wrong-type", "The value is missing here.", "Write a name after the colon.")
    if not bad_name.is_name(word):
        refuse("bad-name", f"`{word}` cannot be a name.", bad_name.cure(word))
    return word


def _dotted(value: Any) -> Word:
    word = _word(value, what="a prompt's name")
    if not word:
        refuse("wrong-type", "The prompt's name is missing here.", "Write the name of a prompt after the colon.")
    return word


def _key(value: Any) -> Word:
    word = _word(value, what="a key")
    if word not in ("1", "2", "3", "4"):
        whose = " 0, 9, * and # are the line's own, at every wait." if word in ("0", "9", "*", "#") else ""
        refuse("keys-with-gaps", f"`{word}` is not a key for a menu.{whose}", "Number the options 1 to 4, without gaps.")
    return word


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, in seconds, as it was written."""

    seconds: int
    place: Place


def _span(value: Any) -> Span:
    word = _word(value, what="a length of time")
    match = _SPAN.match(word)
    if match is None:
        number = re.match(r"\d+", word)
        cure = f"Write the unit too: `{number[0]}s`." if number else "Write a number and a unit: `25s`, `90 days`."
        refuse("time-without-unit", f"`{word}` is not a length of time.", cure)
    unit = match[2] if match[2] in ("s", "min") else match[2].rstrip("s")
    return Span(int(match[1]) * _SECONDS_IN[unit], word.place)


def _window(value: Any) -> tuple[time, time]:
    word = _word(value, what="a part of the day")
    match = _WINDOW.match(word)
    if match is None:
        refuse("bad-time", f"`{word}` is not a part of the day.", "Write it with four digits each: `22:00-06:00`.")
    return time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))


def _zone(value: Any) -> Word:
    word = _word(value, what="a time zone")
    try:
        ZoneInfo(word)
    except (ValueError, OSError, KeyError):
        refuse("unknown-zone", f"There is no time zone `{word}`.", "Write one like `America/New_York` or `Europe/London`.")
    return word


def _language(value: Any) -> Word:
    word = _word(value, what="a language")
    if not _LANGUAGE.match(word):
        refuse("wrong-type", f"`{word}` is not a language.", "Write its short code: `en`, `es`.")
    return word


@dataclass(frozen=True, slots=True)
class DigitCount:
    """How many digits may be typed."""

    least: int
    most: int
    is_phone: bool
    place: Place


def _digits(value: Any) -> DigitCount:
    word = _word(value, what="`phone`, or how many digits")
    if word == "phone":
        return DigitCount(*PHONE_DIGITS, is_phone=True, place=word.place)
    match = _RANGE.match(word)
    if match is None:
        refuse("wrong-type", f"`{word}` does not say how many digits.", "Write `phone`, or a range like `2 to 8`.")
    least, most = int(match[1]), int(match[2])
    if not 2 <= least <= most <= MOST_TYPED:
        refuse("wrong-type", f"`{word}` is not a range of digits.", f"From 2 to {MOST_TYPED}, the smaller number first.")
    return DigitCount(least, most, is_phone=False, place=word.place)


def _numbers_to(value: Any, read: Callable[[Any], Any], *, what: str) -> tuple[tuple[Word, Any], ...]:
    if not isinstance(value, Table):
        refuse("wrong-type", f"Here keys with {what} are wanted, not a {kind_of(value)}.", f"Write `{{ 1: {what}, 2: {what} }}`.")
    if not value:
        refuse("keys-with-gaps", "There is no option here.", f"Write at least one: `{{ 1: {what} }}`.")
    return tuple((_key(key), read(node)) for key, node in value.items())


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A code as written, with the finer codes under it."""

    name: Word
    finer: tuple[tuple[Word, Word], ...] = ()


def _code(value: Any) -> CodeLine:
    if isinstance(value, Word):
        return CodeLine(_name(value))
    if not isinstance(value, Table) or len(value) != 1:
        refuse("form-without-code", "One code belongs here.", "Write a name, or `{ name: { 1: finer, 2: finer } }`.")
    [(group, finer)] = value.items()
    return CodeLine(_name(group), _numbers_to(finer, _name, what="code"))


Name = Annotated[Word, PlainValidator(_name)]
PromptName = Annotated[Word, PlainValidator(_dotted)]
SpanOf = Annotated[Span, PlainValidator(_span)]
Window = Annotated[tuple[time, time], PlainValidator(_window)]
Zone = Annotated[Word, PlainValidator(_zone)]
Language = Annotated[Word, PlainValidator(_language)]
DigitsOf = Annotated[DigitCount, PlainValidator(_digits)]
Targets = Annotated[
    tuple[tuple[Word, Word], ...], PlainValidator(lambda value: _numbers_to(value, _name, what="step"))
]
Codes = Annotated[
    tuple[tuple[Word, CodeLine], ...], PlainValidator(lambda value: _numbers_to(value, _code, what="code"))
]


class Strict(BaseModel):
    """No field that is not named, nothing turned into something else."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


# ---- verbs ----


class ChooseLanguage(Strict):
    """The greeting, said in each language, each followed by the key of that language."""

    choose_language: PromptName
    next: Name


class SayLine(Strict):
    """A sentence. It is heard at the beginning of the next wait, so that a key can interrupt it."""

    say: PromptName
    next: Name


class Menu(Strict):
    """Up to four keys, each with the step it leads to. The spoken options are made from the labels of the targets."""

    menu: Targets


class FormLine(Strict):
    """The questions of a form, then on."""

    form: Name
    next: Name


class RungFor(Strict):
    """Who is rung, and for how long: one of the two."""

    on_call: SpanOf | None = None
    backup: SpanOf | None = None


class Transfer(Strict):
    """A person: those on call, then the backup. `nobody` when no one can, `next` when they have talked."""

    transfer: Literal["advocates"]
    ring: list[RungFor] = Field(min_length=1)
    nobody: Name
    next: Name
    meanwhile: Targets = ()


class Fork(Strict):
    """What a branch looks at: exactly one of these."""

    time: Window | None = None
    on_call: Literal["anyone"] | None = None
    language: Language | None = None


class BranchLine(Strict):
    """One of two ways, by the clock, by who is on call, or by the language of the call."""

    branch: Fork
    yes: Name
    no: Name


class Exit(Strict):
    """A last word, and the end of the call."""

    exit: PromptName


Verb = ChooseLanguage | SayLine | Menu | FormLine | Transfer | BranchLine | Exit

VERBS: dict[str, type[Verb]] = {
    "choose_language": ChooseLanguage,
    "say": SayLine,
    "menu": Menu,
    "form": FormLine,
    "transfer": Transfer,
    "branch": BranchLine,
    "exit": Exit,
}


# ---- files ----


def _whole_table(value: Any) -> Any:
    if not isinstance(value, Table):
        refuse("wrong-type", f"Here `name: value` lines are wanted, not a {kind_of(value)}.", "Write one name a line, each with a colon.")
    return value


AnyTable = Annotated[Table, SkipValidation, BeforeValidator(_whole_table)]


class Always(Strict):
    """Where the line's own keys lead from everywhere."""

    person: Name = Field(alias="0")
    leave: Name = Field(alias="9")


class ReportWithin(Strict):
    keys: InstanceOf[Word]
    speech: SpanOf


class PromisesMade(Strict):
    """What callers may count on. The checker proves each, in every language."""

    first_key_within: SpanOf | None = None
    hears_of_person_within: SpanOf | None = None
    report_within: ReportWithin | None = None


class FlowFile(Strict):
    """A flow: where a call starts and what it walks through."""

    flow: Name
    languages: list[Language] = Field(min_length=1, max_length=4)
    zone: Zone
    start: Name
    always: Always
    steps: AnyTable
    promises: PromisesMade = PromisesMade()


class QuestionLine(Strict):
    """One question: one code, several codes, or digits."""

    one: Codes | None = None
    several: Codes | None = None
    digits: DigitsOf | None = None
    needs: Name | None = None

    @property
    def codes(self) -> tuple[tuple[Word, CodeLine], ...]:
        return self.one or self.several or ()

    @property
    def kind(self) -> str:
        return "one" if self.one else "several" if self.several else "digits"


class FormFile(Strict):
    """The questions of one kind of report, with their codes."""

    form: Name
    kind: Literal["report"]
    keep_for: SpanOf
    save_after: Name
    consent: list[Name] = Field(min_length=1)
    questions: AnyTable


class PromptsFile(Strict):
    """The texts of one language."""

    language: Language
    name: InstanceOf[Word]
    voice: InstanceOf[Word]
    keys: AnyTable
    line: AnyTable
    prompts: AnyTable
