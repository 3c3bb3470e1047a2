"""How many PINs may be guessed wrong by anybody together, before nobody is let in by phone for a while."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MOST = 20
"""At this pace, one of twenty PINs of eight digits is found in fifteen years."""

WITHIN = timedelta(hours=1)


@dataclass(slots=True)
class Guesses:
    """One worker's. Knows no clock: every moment is an argument. `ivr rota` changes shifts without a phone."""

    _taken: deque[datetime] = field(default_factory=deque)

    def take(self, now: datetime) -> bool:
        """Whether one more may be tried. It counts as wrong until it is given back: many may be under way at once."""
        while self._taken and now - self._taken[0] >= WITHIN:
            self._taken.popleft()
        if len(self._taken) >= MOST:
            return False
        self._taken.append(now)
        return True

    def give_back(self, now: datetime) -> None:
        """It was right."""
        self._taken.remove(now)
