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

    _wrong: deque[datetime] = field(default_factory=deque)

    def are_spent(self, now: datetime) -> bool:
        while self._wrong and now - self._wrong[0] >= WITHIN:
            self._wrong.popleft()
        return len(self._wrong) >= MOST

    def note_wrong(self, now: datetime) -> None:
        if not self.are_spent(now):
            self._wrong.append(now)
