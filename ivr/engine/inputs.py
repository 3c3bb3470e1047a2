"""What happens to a call, in the past tense. A closed union."""

import msgspec

from ivr.engine.asks import Answer


class Began(msgspec.Struct, frozen=True):
    """Somebody called, or came back to a call whose place is known: say where she is."""


class Pressed(msgspec.Struct, frozen=True):
    """Keys, as they came: one at a menu, a whole string where digits are typed. 0-9, * and #."""

    keys: str


class FellSilent(msgspec.Struct, frozen=True):
    """Nothing was pressed in time."""


class Returned(msgspec.Struct, frozen=True):
    """The phones that were rung are done with. `talked`: she may have talked with somebody."""

    talked: bool


class Answered(msgspec.Struct, frozen=True):
    """The world's answer to what was asked."""

    answer: Answer


Input = Began | Pressed | FellSilent | Returned | Answered
