"""The texts of one language, with their gaps. Turns a Phrase into the words a caller hears, or into those she reads.

Knows nothing of steps; a text that is missing is somebody else's diagnostic."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ivr.flow.diagnostics import NOWHERE, Place
from ivr.flow.phrases import Digits, KeyName, Label, Labels, Moment, Name, Number, Phrase, Slot, Value, phrase

KEYS = ("0", "9", "*", "#")
"""The line's own keys; a text names them as {0} {9} {*} {#}."""

TWELVE_HOURS = frozenset({"en"})
"""Languages whose speakers count the hours of the day twice."""
NOON = 12

PHONE_DIGITS = 10
"""A number as it is dialled in North America."""

_GAP = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """A text cut at its gaps: odd parts are the names of gaps."""

    text: str
    place: Place = field(default=NOWHERE, compare=False)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(_GAP.split(self.text))

    @property
    def gaps(self) -> frozenset[str]:
        return frozenset(_GAP.findall(self.text))


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text, or one text for exactly one and another for more. Without numbers the two are the same."""

    many: Template
    one: Template
    place: Place = field(default=NOWHERE, compare=False)

    @property
    def gaps(self) -> frozenset[str]:
        return self.many.gaps | self.one.gaps

    @property
    def has_plural(self) -> bool:
        return self.many is not self.one


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One language: its own name, its voice, how its keys are spoken, its prompts, and which of them are recordings
    (prompt name -> seconds). `texts`: what text messages say in place of a prompt, by the same name; `words`: what is
    sent in place of a key; `drops_accents`: they are left out where they would make a message dear."""

    language: str
    name: str
    voice: str
    keys: Mapping[str, str]
    prompts: Mapping[str, Prompt]
    recordings: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, Prompt] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    drops_accents: bool = False

    def says(self, phrase: Phrase) -> str:
        """The words of a phrase, to be heard: keys by name, digits in groups.

        Raises KeyError for a prompt or a gap that nobody fills: the checker proves that there is none."""
        values = dict(phrase.values)
        return "".join(
            part if position % 2 == 0 else self._fill(part, values)
            for position, part in enumerate(_template(self.prompts[phrase.prompt], phrase).parts)
        )

    def writes(self, phrase: Phrase) -> str:
        """The words of a phrase, to be read: a text's own wording where there is one, keys as signs, digits in groups
        with nothing between them inside. Raises KeyError as `says` does."""
        values = dict(phrase.values)
        return "".join(
            part if position % 2 == 0 else self._write(part, values)
            for position, part in enumerate(_template(self.wording(phrase.prompt), phrase).parts)
        )

    def wording(self, prompt: str) -> Prompt:
        """What a text message says of a prompt."""
        return self.texts.get(prompt) or self.prompts[prompt]

    def tells(self, phrase: Phrase) -> Iterator[str]:
        """The keys that a phrase tells of."""
        gaps = self.prompts[phrase.prompt].gaps
        yield from (key for key in KEYS if key in gaps)
        yield from (value.key for _, value in phrase.values if isinstance(value, KeyName))

    def recorded(self, phrase: Phrase) -> float | None:
        """The length of the recording of a phrase, in seconds, if it has one. A phrase with gaps cannot be one."""
        return None if phrase.values else self.recordings.get(phrase.prompt)

    def label(self, prompt: str) -> str:
        """A prompt's text as part of a sentence: without its full stop."""
        return self.prompts[prompt].many.text.rstrip(".")

    def _fill(self, gap: str, values: Mapping[str, Value]) -> str:
        if gap in self.keys:
            return self.keys[gap]
        return self.word(values[gap])

    def word(self, value: Value) -> str:
        """What fills a gap, as it is heard."""
        match value:
            case Label():
                return self.label(value.prompt)
            case KeyName():
                return self.keys.get(value.key, value.key)
            case Digits():
                return spoken(value.digits)
            case Labels():
                return ", ".join(self.word(item) for item in value.items)
            case Number():
                return str(value.number)
            case Name():
                return value.name
            case Moment():
                day = Name(self.label(f"line.weekday.{value.weekday}"))
                return self.says(phrase("line.moment", day=day, clock=Name(clock(value, self.language))))
            case Slot():
                raise ValueError(f"only a call can say {value.value}")

    def _write(self, gap: str, values: Mapping[str, Value]) -> str:
        if gap in values:
            return self.sign(values[gap])
        return gap if gap in KEYS else self.words[gap]

    def sign(self, value: Value) -> str:
        """What fills a gap, as it is read."""
        match value:
            case Label():
                return self.wording(value.prompt).many.text.rstrip(".")
            case KeyName():
                return value.key
            case Digits():
                return written(value.digits)
            case Labels():
                return ", ".join(self.sign(item) for item in value.items)
            case _:
                return self.word(value)


def _template(prompt: Prompt, phrase: Phrase) -> Template:
    count = next((value.number for _, value in phrase.values if isinstance(value, Number)), None)
    return prompt.one if count == 1 else prompt.many


def clock(moment: Moment, language: str) -> str:
    """A time of day as people say it: by twelve hours where they do.

    >>> clock(Moment(0, 22, 30), "en"), clock(Moment(0, 22, 30), "es"), clock(Moment(0, 0, 5), "en-US")
    ('10:30 PM', '22:30', '12:05 AM')
    """
    if language.partition("-")[0] not in TWELVE_HOURS:
        return f"{moment.hour}:{moment.minute:02d}"
    half = "AM" if moment.hour < NOON else "PM"
    return f"{moment.hour % NOON or NOON}:{moment.minute:02d} {half}"


def spoken(digits: str) -> str:
    """Digits as they are read out: one by one, with a pause between groups.

    >>> spoken("2125550143")
    '2 1 2, 5 5 5, 0 1 4 3'
    """
    return ", ".join(" ".join(group) for group in groups(digits))


def written(digits: str) -> str:
    """Digits as they are read: in groups, and a phone number of ten, with a 1 before it or not, as people write it.

    >>> written("2125550143"), written("12125550143"), written("482012345678"), written("4820953")
    ('212-555-0143', '1-212-555-0143', '4820 1234 5678', '482 0953')
    """
    if len(digits) == PHONE_DIGITS + 1 and digits.startswith("1"):
        return f"1-{written(digits[1:])}"
    return ("-" if len(digits) == PHONE_DIGITS else " ").join(groups(digits))


def groups(digits: str) -> Iterator[str]:
    """A receipt in fours, a phone number as people say it, all else in threes with no single digit left over."""
    if len(digits) == 12:
        sizes = [4, 4, 4]
    elif len(digits) == PHONE_DIGITS:
        sizes = [3, 3, 4]
    else:
        sizes = [3] * (len(digits) // 3)
        rest = len(digits) % 3
        if rest == 1 and sizes:
            sizes[-1] = 4
        elif rest:
            sizes.append(rest)
    start = 0
    for size in sizes:
        yield digits[start : start + size]
        start += size
