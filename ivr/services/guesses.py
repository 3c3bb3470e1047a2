"""How many PINs may be guessed wrong by anybody together, before nobody is let in by phone for a while."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

MOST = 20
"""At this pace, one of twenty PINs of eight digits is found in fifteen years."""

WITHIN = timedelta(hours=1)

Turn = tuple[bytes, int]
"""The seed of a call, and which of its turns: a webhook that comes twice is one guess."""


@dataclass(slots=True)
class Guesses:
    """One worker's. Knows no clock: every moment is an argument. `ivr rota` changes shifts without a phone."""

    _taken: dict[Turn, datetime] = field(default_factory=dict)

    def take(self, turn: Turn, now: datetime) -> bool:
        """Whether one more may be tried. It counts as wrong until it is given back: many may be under way at once."""
        self._taken = {one: at for one, at in self._taken.items() if now - at < WITHIN}
        if turn not in self._taken and len(self._taken) >= MOST:
            return False
        self._taken.setdefault(turn, now)
        return True

    def give_back(self, turn: Turn) -> None:
        """It was right."""
        self._taken.pop(turn, None)
