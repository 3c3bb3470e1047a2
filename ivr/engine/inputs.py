"""What happens to a call, in the past tense. A closed union."""

from dataclasses import dataclass

from ivr.engine.asks import Answer


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody called, or came back to a call whose place is known: say where she is."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """Keys, as they came: one at a menu, a whole string where digits are typed. 0-9, * and #."""

    keys: str


@dataclass(frozen=True, slots=True)
class FellSilent:
    """Nothing was pressed in time."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The phones that were rung are done with. `talked`: she may have talked with somebody."""

    talked: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The world's answer to what was asked."""

    answer: Answer


Input = Began | Pressed | FellSilent | Returned | Answered
