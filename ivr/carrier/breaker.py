"""When to leave the phone company's REST interface alone: after it refused several times in a row nobody is asked for a
while, but one request now and then. A caller who waits for a phone must not wait for a refusal each time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

REFUSALS = 3
"""So many in a row open it."""
PROBES_EVERY = timedelta(seconds=15)


@dataclass(slots=True)
class Breaker:
    """One worker's view of one interface. Knows no clock: every moment is an argument."""

    _refusals: int = 0
    _probed_at: datetime | None = None

    def lets_through(self, now: datetime) -> bool:
        """Whether to ask now. While it is open, one of all who ask in `PROBES_EVERY` is let through."""
        if self.is_shut(now):
            return False
        if self.is_open:
            self._probed_at = now
        return True

    def is_shut(self, now: datetime) -> bool:
        """Whether nobody who asks now is let through. Asking this takes nobody's turn."""
        is_probed = self._probed_at is not None and timedelta() <= now - self._probed_at < PROBES_EVERY
        return self.is_open and is_probed

    @property
    def is_open(self) -> bool:
        """Whether it refused so often that it is left alone."""
        return self._refusals >= REFUSALS

    def refused(self, now: datetime) -> None:
        """Nobody can be called now. What is about one number only must not be told here."""
        self._refusals += 1
        if self.is_open:
            self._probed_at = now

    def worked(self) -> None:
        self._refusals = 0
        self._probed_at = None


class Shut(Breaker):
    """Where there is no interface at all."""

    @property
    def is_open(self) -> bool:
        return True

    def is_shut(self, now: datetime) -> bool:
        del now
        return True
