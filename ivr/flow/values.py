"""What single values may be, as an admin writes them: names, keys, codes, lengths of time. A value that is not refuses
itself with diagnostics, which `reading` takes out of pydantic's hands again."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import time
from itertools import islice
from typing import Annotated, Any, NoReturn
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainValidator, SkipValidation
from pydantic_core import PydanticCustomError

from ivr.flow.diagnostics import ENOUGH, NOWHERE, Diagnostic, Place, listed, shortened, suggest
from ivr.flow.line import OUTCOMES
from ivr.flow.rules import bad_name, bad_time, keys_with_gaps, phone_invalid, time_without_unit, unknown_zone
from ivr.flow.source import Items, Table, Word

_SPAN = re.compile(r"(\d{1,4})\s*(s|seconds?|min|minutes?|hours?|days?)\Z")
_SECONDS_IN = {"s": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600, "day": 86400}
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\Z")
_RANGE = re.compile(r"(\d{1,2}) to (\d{1,2})\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?\Z")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9+_-]*(/[A-Za-z0-9+_-]+)*\Z")
_LONGEST_COUNT = 4

MENU_KEYS = ("1", "2", "3", "4")
REFUSED = "refused"

PHONE_DIGITS = (7, 15)
"""The shortest local number people dial, and the longest that E.164 allows."""

MOST_TYPED = 31
"""Plivo takes at most 32 digits in one go, and one place is kept for the `#`."""


def refuse(code: str, message: str, cure: str, place: Place = NOWHERE) -> NoReturn:
    """Stop validating this value, with one sentence and its cure."""
    raise refused([Diagnostic(place, code, message, cure)])


def refused(problems: Sequence[Diagnostic]) -> PydanticCustomError:
    """The error that carries diagnostics through pydantic."""
    return PydanticCustomError(REFUSED, "refused", {"problems": tuple(problems)})


def problems_of(error: PydanticCustomError, place: Place) -> Iterator[Diagnostic]:
    """What a refusal carries; `place` for those that have none."""
    for problem in (error.context or {})["problems"]:
        yield replace(problem, place=place) if problem.place == NOWHERE else problem


def kind_of(value: Any) -> str:
    """What a node is, in an admin's words."""
    return "a list" if isinstance(value, Items) else "`name: value` lines" if isinstance(value, Table) else "one word"


def _word(value: Any, *, what: str) -> Word:
    if not isinstance(value, Word):
        refuse("wrong-type", f"Here {what} is wanted, not {kind_of(value)}.", f"Write {what} after the colon.")
    if not value.strip():
        refuse("wrong-type", f"Here {what} is wanted, and nothing stands there.", f"Write {what} after the colon.")
    return value


def _name(value: Any) -> Word:
    word = _word(value, what="a name")
    if not bad_name.is_name(word):
        refuse("bad-name", bad_name.message(word), bad_name.cure(word), word.place)
    return word


def _prompt_name(value: Any) -> Word:
    word = _word(value, what="the name of a prompt")
    if not all(map(bad_name.is_name, word.split("."))):
        raise refused([bad_name.prompt(word, word.place)])
    return word


def _text(value: Any) -> Word:
    return _word(value, what="a text")


def _key(word: Word) -> Word:
    if word not in MENU_KEYS:
        raise refused([keys_with_gaps.no_menu_key(word, word.place)])
    return word


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, in seconds, as it was written."""

    seconds: int
    place: Place


def _span(value: Any) -> Span:
    word = _word(value, what="a length of time")
    match = _SPAN.match(word)
    if match is None or not int(match[1]):
        raise refused([time_without_unit.found(word, word.place)])
    unit = match[2] if match[2] in ("s", "min") else match[2].rstrip("s")
    return Span(int(match[1]) * _SECONDS_IN[unit], word.place)


def _window(value: Any) -> tuple[time, time]:
    word = _word(value, what="a part of the day")
    match = _WINDOW.match(word)
    if match is None:
        raise refused([bad_time.window(word, word.place)])
    start, end = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    if start == end:
        raise refused([bad_time.no_time(word, word.place)])
    return start, end


def _zone(value: Any) -> Word:
    word = _word(value, what="a time zone")
    if not _ZONE.match(word) or not _is_zone(word):
        raise refused([unknown_zone.found(word, word.place)])
    return word


def _is_zone(word: str) -> bool:
    try:
        ZoneInfo(word)
    except (ValueError, OSError, KeyError):
        return False
    return True


def is_language(word: str) -> bool:
    return bool(_LANGUAGE.match(word))


def _language(value: Any) -> Word:
    word = _word(value, what="a language")
    if not is_language(word):
        refuse("wrong-type", f"`{shortened(word)}` is not a language.", "Write its short code: `en`, `es`.", word.place)
    return word


def _count(value: Any) -> Word:
    word = _word(value, what="a number")
    if not (word.isascii() and word.isdecimal() and len(word) <= _LONGEST_COUNT):
        refuse("wrong-type", f"`{shortened(word)}` is not a number.", "Write it in digits: `10`.", word.place)
    if not int(word):
        refuse("wrong-type", f"`{word}` is too few: no flow could keep that.", "Write 1 at least.", word.place)
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
        message = f"`{shortened(word)}` does not say how many digits."
        refuse("wrong-type", message, "Write `phone`, or from how many to how many: `2 to 8`.", word.place)
    least, most = int(match[1]), int(match[2])
    if not 2 <= least <= most <= MOST_TYPED:
        cure = f"Write from 2 to {MOST_TYPED} at most, the smaller number first: `2 to 8`."
        refuse("wrong-type", f"`{word}` cannot be typed.", cure, word.place)
    return DigitCount(least, most, is_phone=False, place=word.place)


def _numbers_to(value: Any, read: Callable[[Any], Any], *, what: str) -> tuple[tuple[Word, Any], ...]:
    example = f"`{{ 1: {what.upper()}, 2: {what.upper()} }}`"
    if not isinstance(value, Table):
        stands = "nothing stands there" if value == "" else f"not {kind_of(value)}"
        wanted = f"Here keys are wanted, each with a {what}, {'and ' if value == '' else ''}{stands}."
        refuse("wrong-type", wanted, f"Write a key, a colon, a blank and a {what}: {example}.")
    if not value:
        refuse("keys-with-gaps", "There is no option here.", f"Write at least one: `{{ 1: {what.upper()} }}`.")
    pairs: list[tuple[Word, Any]] = []
    problems: list[Diagnostic] = []
    for key, node in islice(value.items(), ENOUGH):
        try:
            pairs.append((_key(key), read(node)))
        except PydanticCustomError as error:
            problems.extend(problems_of(error, key.place))
    if problems:
        raise refused(problems)
    return tuple(pairs)


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
    try:
        return CodeLine(_name(group), _numbers_to(finer, _finer, what="code"))
    except PydanticCustomError as error:
        raise refused([*problems_of(error, group.place)]) from error


def _finer(value: Any) -> Word:
    if isinstance(value, Table):
        refuse("wrong-type", "A finer code cannot have finer ones.", "Write one name here: codes are one level deep.")
    return _name(value)


def _phone(value: Any) -> Word:
    word = _word(value, what="a phone number")
    from ivr.kit.phone import NotANumber, e164  # its tables take a tenth of a second to read

    try:
        e164(word)
    except NotANumber:
        raise refused([phone_invalid.found(word, word.place)]) from None
    return word


def _outcome(value: Any) -> Word:
    word = _name(value)
    if word not in OUTCOMES:
        cure = suggest(word, OUTCOMES, otherwise=f"Write one of {listed(OUTCOMES)}.")
        refuse("wrong-type", f"`{shortened(word)}` is not counted.", cure, word.place)
    return word


Name = Annotated[Word, PlainValidator(_name)]
PhoneOf = Annotated[Word, PlainValidator(_phone)]
PromptName = Annotated[Word, PlainValidator(_prompt_name)]
TextOf = Annotated[Word, PlainValidator(_text)]
Count = Annotated[Word, PlainValidator(_count)]
SpanOf = Annotated[Span, PlainValidator(_span)]
Window = Annotated[tuple[time, time], PlainValidator(_window)]
Zone = Annotated[Word, PlainValidator(_zone)]
Language = Annotated[Word, PlainValidator(_language)]
DigitsOf = Annotated[DigitCount, PlainValidator(_digits)]
Targets = Annotated[tuple[tuple[Word, Word], ...], PlainValidator(lambda value: _numbers_to(value, _name, what="step"))]
Outcomes = Annotated[
    tuple[tuple[Word, Word], ...], PlainValidator(lambda value: _numbers_to(value, _outcome, what="word"))
]
Codes = Annotated[
    tuple[tuple[Word, CodeLine], ...], PlainValidator(lambda value: _numbers_to(value, _code, what="code"))
]


def _whole_table(value: Any) -> Any:
    if not isinstance(value, Table):
        stands = "and nothing stands there" if value == "" else f"not {kind_of(value)}"
        refuse("wrong-type", f"Here `name: value` lines are wanted, {stands}.", "Write one name a line, with a colon.")
    return value


AnyTable = Annotated[Table, SkipValidation, BeforeValidator(_whole_table)]
