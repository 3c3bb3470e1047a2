"""What a step of a compiled flow may want that it cannot do by itself."""

from dataclasses import dataclass
from typing import Literal

from ivr.flow.keys import Option
from ivr.flow.phrases import Phrase


@dataclass(frozen=True, slots=True)
class WantSave:
    """Keep the report of this step's form. `ends`: its form is over and a receipt is due. `nights`: it is a request to
    be called, kept for so many at most, and nothing leads back to it."""

    ends: bool = False
    nights: int = 0


@dataclass(frozen=True, slots=True)
class WantPerson:
    """Ring those on duty: by `rungs`, the name of a tier and its seconds. `told` and then the `options` (what to do
    instead) are said before the phones ring; any other key rings them at once."""

    told: Phrase
    options: tuple[Option, ...] = ()
    rungs: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class WantNumber:
    """Put her through to somebody else's `number` (E.164), after `told`; it rings for so many seconds. Nothing is asked
    of the world for it."""

    told: Phrase
    number: str
    seconds: int


@dataclass(frozen=True, slots=True)
class WantDuty:
    """Is anyone on call?"""


@dataclass(frozen=True, slots=True)
class WantOffer:
    """What becomes of the call that her phone was rung for: `take` it, `pass` it on, or hear what it is `about`."""

    what: Literal["take", "pass", "about"]


@dataclass(frozen=True, slots=True)
class WantOutcome:
    """Count how their talk went."""

    outcome: str


@dataclass(frozen=True, slots=True)
class WantSignIn:
    """Whose PIN was typed?"""


@dataclass(frozen=True, slots=True)
class WantShift:
    """Tell her of her shifts, or change them: `status`, `switch`, `hour` or `next`."""

    what: str


@dataclass(frozen=True, slots=True)
class WantOpen:
    """Find the report of the receipt that was typed. `gone`: where it leads if the report was taken back."""

    gone: str


@dataclass(frozen=True, slots=True)
class WantStatus:
    """How does the report stand that her receipt opened?"""


@dataclass(frozen=True, slots=True)
class WantConsent:
    """From now on that report may be used for this."""

    consent: str


@dataclass(frozen=True, slots=True)
class WantWithdraw:
    """Delete that report."""


WantReceipt = WantOpen | WantStatus | WantConsent | WantWithdraw
"""Of a report that a receipt opens."""

Want = WantSave | WantPerson | WantNumber | WantDuty | WantOffer | WantOutcome | WantSignIn | WantShift | WantReceipt
