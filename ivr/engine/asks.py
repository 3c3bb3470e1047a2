"""What the engine asks of the world, and what the world answers. Nouns, closed unions; nothing here does anything.

An ask names what is wanted, never how it is done: who answers it knows disk and carrier, the engine does not."""

from dataclasses import dataclass

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

    @property
    def ends(self) -> bool:
        return self.ending > 0


@dataclass(frozen=True, slots=True)
class Ring:
    """A person for the caller: of each tier in turn, for so many seconds at most."""

    rungs: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Is anyone on call now?"""


Ask = SaveReport | Ring | OnDuty


@dataclass(frozen=True, slots=True)
class Saved:
    """It is on the disk. `receipt` (twelve digits) when the report's form has ended."""

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
class Nobody:
    """There is nobody to ring."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Whether anyone is on call."""

    anyone: bool


Answer = Saved | NotSaved | Dialling | Nobody | Duty
