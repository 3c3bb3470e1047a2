"""What the phones of the world do when they ring, as data: who answers when, presses what, and hangs up. Never knows
what is said to them."""

from dataclasses import dataclass, field
from typing import Literal

Ending = Literal["busy", "failed", "no-answer", "cancel"]


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys pressed one right after the other, `at` seconds after answering; or, with `whisper`, so long after the line
    began to listen for the first (1), second, ... time."""

    keys: str
    at: float = 0.0
    whisper: int | None = None

    def __post_init__(self) -> None:
        if not self.keys or set(self.keys) - set("0123456789*#"):
            raise ValueError(f"{self.keys!r} are not keys")


@dataclass(frozen=True, slots=True)
class Answers:
    """Somebody picks up after `after` seconds of ringing; `hangs_up` counts from there, None is never by herself."""

    after: float = 4.0
    keys: tuple[Keys, ...] = ()
    hangs_up: float | None = None
    says: str = ""
    """A voice that is no person's: what it says, for whoever reads the record."""


@dataclass(frozen=True, slots=True)
class NeverAnswers:
    """Rings until whoever rings it gives up."""


@dataclass(frozen=True, slots=True)
class Fails:
    """Does not ring, or stops ringing, by itself: the network says so `after` seconds."""

    after: float = 1.0
    ending: Ending = "failed"
    cause: str = "DESTINATION_OUT_OF_ORDER"
    rings: bool = False


def busy(after: float = 1.0) -> Fails:
    return Fails(after, "busy", "USER_BUSY")


def declines(after: float = 4.0) -> Fails:
    """She sees who calls and presses the red button. What Plivo calls that is assumed."""
    return Fails(after, "busy", "CALL_REJECTED", rings=True)


def voicemail(after: float = 18.0, *, listens: float = 30.0) -> Answers:
    """Picks up late, talks, records what is said, presses nothing."""
    return Answers(after, hangs_up=listens, says="Leave a message after the tone")


def screening(after: float = 0.5, *, keys: tuple[Keys, ...] = (), hangs_up: float | None = 30.0) -> Answers:
    """A machine picks up at once and asks who calls; `keys` are pressed where somebody takes over from it."""
    return Answers(after, keys, hangs_up, says="Say who you are and why you call")


Phone = Answers | NeverAnswers | Fails


@dataclass(slots=True)
class Phones:
    """Who has which phone. Can be changed at any time; what already rings goes on as it was."""

    otherwise: Phone = field(default_factory=Fails)
    """What a number does that nobody has: it is out of service."""
    _by_number: dict[str, list[Phone]] = field(default_factory=dict)

    def put(self, number: str, *phones: Phone) -> None:
        """What this phone does when it rings; several: each time another, the last for ever."""
        if not phones:
            raise ValueError("what does this phone do?")
        self._by_number[plain(number)] = list(phones)

    def ring(self, number: str) -> Phone:
        """What it does this time."""
        turns = self._by_number.get(plain(number), [self.otherwise])
        return turns.pop(0) if len(turns) > 1 else turns[0]


def plain(number: str) -> str:
    """One number however it is written."""
    return number.removeprefix("+")
