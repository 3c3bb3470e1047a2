"""What a key of a compiled flow leaves behind, and where it leads."""

from dataclasses import dataclass

from ivr.flow.phrases import Phrase


@dataclass(frozen=True, slots=True)
class Put:
    """The answer to a question is this code, and no other."""

    question: str
    code: str


@dataclass(frozen=True, slots=True)
class Add:
    """One more code for a question that takes several. A finer code takes the place of its bare group."""

    question: str
    code: str


@dataclass(frozen=True, slots=True)
class PutTyped:
    """The answer to a question is what was just typed."""

    question: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What the report may be used for."""

    consent: str


@dataclass(frozen=True, slots=True)
class SpeakIn:
    """From here the call is in this language."""

    language: str


Record = Put | Add | PutTyped | Grant | SpeakIn


@dataclass(frozen=True, slots=True)
class Option:
    """A key, how it is told, what it leaves behind, and where it leads. `lead` is said before it, but not after a
    wrong key."""

    key: str
    told: Phrase
    to: str
    record: Record | None = None
    lead: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """What `#` does: go on with what was chosen, or without. `to` None: the options are said again."""

    to: str | None = None
    record: Record | None = None
