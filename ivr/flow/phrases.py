"""What is said, before it is words: a prompt's name and what fills its gaps. Hashable, so that a channel may remember
the bytes it made of it. Knows no language's text."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import msgspec
from msgspec.structs import force_setattr


@dataclass(frozen=True, slots=True)
class Label:
    """The text of another prompt, without its full stop."""

    prompt: str


@dataclass(frozen=True, slots=True)
class KeyName:
    """A key of the phone, as it is spoken: 1, zero, star."""

    key: str


@dataclass(frozen=True, slots=True)
class Digits:
    """Digits that a caller typed or that lead back to her report: spoken one by one in groups, never as a number."""

    digits: str


@dataclass(frozen=True, slots=True)
class Labels:
    """Several labels and digits, one after the other."""

    items: tuple["Label | Digits", ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A count or a span in seconds."""

    number: int


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it is: of a person or, where it is the code of one, of a language."""

    name: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A day of the week (0 is Monday) and a time of day."""

    weekday: int
    hour: int
    minute: int


class Slot(Enum):
    """A gap that only the call itself can fill: the engine puts the value in its place before it says the phrase."""

    ANSWER = "the answer to this step's question"
    ANSWERS = "every answer to this step's form"
    TYPED = "the digits just typed"
    RECEIPT = "the receipt of the report just finished"


Private = Digits | Labels | Slot
"""What holds, or will hold, something that a caller did."""

Value = Label | KeyName | Number | Name | Moment | Private


class Phrase(msgspec.Struct, frozen=True, cache_hash=True):
    """One sentence or a few: `prompt` with its gaps filled.

    `language` is set where it is not the call's own. `option` marks one of several choices: they are said with a pause
    between them."""

    prompt: str
    values: tuple[tuple[str, Value], ...] = ()
    language: str | None = None
    option: bool = False
    is_private: bool = False
    """Does it hold anything that this caller did? Follows from the values; nothing of such a phrase is remembered."""

    def __post_init__(self) -> None:
        force_setattr(self, "is_private", any(isinstance(value, Private) for _, value in self.values))

    def filled(self, gaps: Mapping["Slot", "Value"]) -> "Phrase":
        """The phrase with the gaps filled that only the call can fill."""
        if not self.is_private:
            return self
        values = tuple((name, gaps[value] if isinstance(value, Slot) else value) for name, value in self.values)
        return Phrase(self.prompt, values, self.language, self.option)


def phrase(prompt: str, *, language: str | None = None, option: bool = False, **values: Value) -> Phrase:
    """A Phrase from keywords."""
    return Phrase(prompt, tuple(values.items()), language, option)
