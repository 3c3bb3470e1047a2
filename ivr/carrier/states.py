"""Where an imitated call stands: a closed set. Only there does its caller, or a phone that it rings, get to act."""

from dataclasses import dataclass
from typing import Literal

from ivr.carrier.documents import Dial, GetDigits, GetInput

Source = Literal["caller", "line", "carrier", "callee", "request"]
"""Who ended the call; the carrier does when nobody answers its webhooks, a request where the line asked by REST."""

DialOutcome = Literal["completed", "busy", "no-answer", "failed", "timeout", "cancel", "unconfirmed"]
"""What the dialled phones do; `unconfirmed`: one is answered, its confirmKey is never pressed."""


@dataclass(frozen=True, slots=True)
class AwaitingKeys:
    """The line listens."""

    element: GetInput | GetDigits
    prompt_seconds: float
    """How long its prompts take when nobody interrupts them."""


@dataclass(frozen=True, slots=True)
class Ringing:
    dial: Dial
    shown_number: str
    """What the dialled phones display: the caller's own number and name unless the document gives others."""
    shown_name: str


@dataclass(frozen=True, slots=True)
class Over:
    source: Source
    cause: str
    """A telephony hang-up cause, like NORMAL_CLEARING."""


State = AwaitingKeys | Ringing | Over
