"""A text as it reaches the line, and what is answered to the carrier: two values that the door and whoever answers
texts share. Pure; neither shows what is in it."""

from dataclasses import dataclass, field

MOST_CHARACTERS = 1600
"""Of one text, either way. (Plivo, "Send a message": 1,600 where all are of GSM-7.)"""


@dataclass(frozen=True, slots=True)
class Texted:
    """A text somebody sent us. `sender`: her number in E.164, for as long as this is answered; empty where nobody can
    be. `words`: at most MOST_CHARACTERS, of control characters line breaks only. `message_id`: the same in every
    delivery."""

    sender: str = field(repr=False)
    words: str = field(repr=False)
    message_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TextReply:
    """What became of a text. `document`: what the carrier is to send, where it is not asked by REST. `is_unsent`: she
    got no answer, and the carrier must deliver her text again. `failed`: what went wrong, and she was told so; its
    message might quote her."""

    document: bytes | None = field(default=None, repr=False)
    is_unsent: bool = False
    failed: Exception | None = field(default=None, repr=False)
