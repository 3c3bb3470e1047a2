"""What the engine asks of the world, and what the world answers. Nouns, closed unions; nothing here does anything.

An ask names what is wanted, never how it is done: who answers it knows disk and carrier, the engine does not."""

from dataclasses import dataclass
from typing import Literal

Answers = tuple[tuple[str, tuple[str, ...]], ...]
"""Question name -> the codes chosen, in the form's order, or one string of digits. Only what was answered."""


@dataclass(frozen=True, slots=True)
class SaveReport:
    """Keep this report, whole: every save replaces the one before."""

    form: str
    visit: int
    """Which pass through the form this is, from 1: a second report in one call is a second report."""
    answers: Answers
    consent: str
    ending: int = 0
    """0: the form goes on. Else it is over, a receipt is wanted, and nothing but a further try at ending may change the
    report; the number counts the tries: one that was told as failed may have reached the disk all the same."""
    adds_to: bytes = b""
    """A receipt that was opened: these answers are an addition to its report."""
    nights: int = 0
    """More than 0: she asks to be called. It is kept for so many nights at most, and no receipt leads back to it."""

    @property
    def ends(self) -> bool:
        return self.ending > 0

    @property
    def has_receipt(self) -> bool:
        """Is it told a receipt of its own? An addition has its report's, a request none."""
        return self.ends and not self.nights and not self.adds_to


@dataclass(frozen=True, slots=True)
class Ring:
    """A person for the caller: of each tier in turn, for so many seconds at most. Asked again at the end of every hold
    piece. `visit`: her how-manieth wish for a person in this call, from 1; `waited`: seconds since she wished it; None
    where no phone has rung for it. `since_last`: then, seconds since the wish before it, if there was one. `is_silent`:
    nothing was pressed since silence led here, or since the caller asked again."""

    rungs: tuple[tuple[str, int], ...] = ()
    visit: int = 1
    waited: int | None = None
    since_last: int | None = None
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class StopRinging:
    """She does something else instead, or they have talked: nobody need ring for that wish any more."""

    visit: int


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Is anyone on call now?"""


# ---- asked for somebody who comes back ----


@dataclass(frozen=True, slots=True)
class OpenReceipt:
    """Whose report is this code the receipt of? `has_waited`: she has waited as long as she was told to."""

    code: str
    has_waited: bool = False


@dataclass(frozen=True, slots=True)
class AskStatus:
    """How does the report of this receipt stand?"""

    receipt: bytes


@dataclass(frozen=True, slots=True)
class ChangeConsent:
    """From now on it may be used for this. `change`: the turn of the wish, which names it: done once, whatever comes
    twice or late."""

    receipt: bytes
    consent: str
    change: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """It is to be deleted."""

    receipt: bytes


# ---- asked for somebody who answers callers ----


@dataclass(frozen=True, slots=True)
class TakeOffer:
    """She wants the call that her phone rang for. Asked again until she and the caller have met."""


@dataclass(frozen=True, slots=True)
class PassOffer:
    """She does not; somebody else may be rung."""


@dataclass(frozen=True, slots=True)
class HearMore:
    """What is the call about that her phone rang for?"""


@dataclass(frozen=True, slots=True)
class CountOutcome:
    """How their talk went, in one word. It is counted, and nothing else of it is kept."""

    outcome: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """Whose PIN is this?"""

    pin: str


@dataclass(frozen=True, slots=True)
class AskShift:
    """About the shifts of whoever signed in. `what`: status, switch, hour or next. `told`: what she heard of them last,
    so that a webhook that comes twice is one wish; see `ShiftIs.told`."""

    what: str
    told: int


AboutReceipt = OpenReceipt | AskStatus | ChangeConsent | Withdraw
AboutDuty = TakeOffer | PassOffer | HearMore | CountOutcome | SignIn | AskShift
Ask = SaveReport | Ring | StopRinging | OnDuty | AboutReceipt | AboutDuty


@dataclass(frozen=True, slots=True)
class Saved:
    """It is on the disk. `receipt` (twelve digits) when the report's form has ended; a request has none."""

    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class NotSaved:
    """It is not on the disk; nothing may say that it is."""


@dataclass(frozen=True, slots=True)
class Dialling:
    """These phones can be rung now; together they ring for at most `seconds`."""

    numbers: tuple[str, ...]
    seconds: int


@dataclass(frozen=True, slots=True)
class ByPhone:
    """Where she is, nobody can be put through to her: she can call this number. `anyone`: somebody is on duty now."""

    number: str
    anyone: bool


@dataclass(frozen=True, slots=True)
class Holding:
    """Phones ring for her, or what else she waits for: all are `busy`; phones ring again after a pause (`paused`); a
    key, for nobody knows whether she is still there (`silent`). `seconds`: at most so long until she knows; of a pause,
    until it ends."""

    seconds: int
    why: Literal["ringing", "paused", "busy", "silent"] = "ringing"


@dataclass(frozen=True, slots=True)
class Meeting:
    """The other one is there: both go into this conference."""

    room: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nobody rings for that wish any more."""


@dataclass(frozen=True, slots=True)
class Nobody:
    """There is nobody to ring."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Whether anyone is on call."""

    anyone: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """The receipt opens a report of this form. `receipt`: by it the report is found again, 32 bytes. `is_gone`: it was
    taken back."""

    receipt: bytes
    form: str
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class StatusIs:
    """`state`: new, confirmed or taken_back. `consent`: what the report may be used for."""

    state: str
    consent: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Many receipts are being tried: she may try hers after so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Crowded:
    """So many wrong receipts were tried that no more are looked at for a while."""


@dataclass(frozen=True, slots=True)
class Gone:
    """No report that is kept has this receipt."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """That cannot be looked at or done now; nothing has changed."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """It may be done by now, or soon, or not at all. Asked again, it is done once."""


@dataclass(frozen=True, slots=True)
class Connecting:
    """The call is hers; the caller has not heard yet."""


@dataclass(frozen=True, slots=True)
class Late:
    """Somebody else has taken the call, or it is over."""


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """There is nobody to talk with any more."""


@dataclass(frozen=True, slots=True)
class About:
    """What somebody may know before she takes a call: the caller's language, how many seconds she has waited, and what
    she keyed in this call, as the names of prompts."""

    language: str
    seconds: int
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Noted:
    """It is done, or was done before."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody has this PIN; or, if it `is_closed`, so many were guessed wrong that none is looked at for a while."""

    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A day of the week (0 is Monday) and a time of day, in the flow's zone."""

    weekday: int
    hour: int
    minute: int


@dataclass(frozen=True, slots=True)
class ShiftIs:
    """How she stands now. `until`: when that changes, if it does within a week. `told`: the same to be remembered;
    negative: off; 0: on; else on until then, in seconds since 1970."""

    is_on: bool
    until: Moment | None = None
    told: int = 0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """This is she, her language, and how she stands."""

    who: bytes
    language: str
    shift: ShiftIs


@dataclass(frozen=True, slots=True)
class NextIs:
    """Who comes on call next, and when; nobody within a week."""

    name: str = ""
    at: Moment | None = None


OfPerson = Dialling | ByPhone | Holding | Meeting | Stopped | Nobody
OfReceipt = Opened | StatusIs | Busy | Crowded | Gone | NotNow | Unsure
Answer = (
    Saved
    | NotSaved
    | OfReceipt
    | OfPerson
    | Duty
    | Connecting
    | Late
    | CallerLeft
    | About
    | Noted
    | SignedIn
    | Unknown
    | ShiftIs
    | NextIs
)
