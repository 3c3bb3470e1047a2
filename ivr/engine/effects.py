"""What a turn does: sentences, then exactly one thing. Imperative; a closed union: every channel decides about each."""

import msgspec

from ivr.engine.asks import Ask
from ivr.engine.call import Call
from ivr.flow.phrases import Phrase

MENU_SECONDS = 8
"""How long a caller is waited for after the last word at a menu."""

DIGITS_SECONDS = 10
"""How long she is waited for before the first digit."""

BETWEEN_DIGITS_SECONDS = 4
"""How long after a digit until the number counts as typed."""


class WaitForKey(msgspec.Struct, frozen=True):
    """Wait for one key; any key interrupts what is being said."""

    seconds: int = MENU_SECONDS


class WaitForDigits(msgspec.Struct, frozen=True):
    """Wait for up to `most` digits; `#` or a pause ends them."""

    most: int
    seconds: int = DIGITS_SECONDS
    pause: int = BETWEEN_DIGITS_SECONDS


class Connect(msgspec.Struct, frozen=True):
    """Ring these phones, all at once, for `seconds`; the first to take the call talks with her, for at most
    `talk_seconds`. `is_outside`: somebody who knows nothing of this line, and is not asked whether she takes it."""

    numbers: tuple[str, ...]
    seconds: int
    talk_seconds: int
    is_outside: bool = False


class Hold(msgspec.Struct, frozen=True):
    """What is said is a piece of waiting: a key may still change her mind, then the line is asked what is next."""

    seconds: int = 1


class Meet(msgspec.Struct, frozen=True):
    """Talk with the other one in this conference, for at most `talk_seconds`; it ends with the caller (`is_caller`)."""

    room: str
    talk_seconds: int
    is_caller: bool


class HandOver(msgspec.Struct, frozen=True):
    """The call goes on in the other flow: the line of those who answer callers, or back to the callers' own."""

    to_staff: bool


class HangUp(msgspec.Struct, frozen=True):
    """The call is over."""


Effect = WaitForKey | WaitForDigits | Connect | Hold | Meet | HandOver | HangUp


class Turn(msgspec.Struct, frozen=True):
    """What a call has become, what is said, and then either one effect or one thing asked of the world.

    After an ask the engine is called again with the answer, and what it says then follows what is said here."""

    call: Call
    said: tuple[Phrase, ...]
    then: Effect | Ask
