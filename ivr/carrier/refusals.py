"""Says in the log that the phone company's REST interface begins to refuse requests, and that it takes them again: once
each, not for every request. Knows nothing of whom a request is about."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

import structlog

from ivr.kit.clock import Clock

log = structlog.get_logger()

SAID_EVERY = timedelta(minutes=1)
"""At most so often of each kind, where it refuses now and then."""

NO_CONNECTION, NO_ANSWER = "no connection", "no answer"


class Kind(Enum):
    """What is asked. An account may be allowed one kind and not another."""

    RING = "ring a phone"
    END = "end a call"
    TEXT = "send a text"


@dataclass(slots=True)
class _State:
    is_refusing: bool = False
    said_at: datetime | None = None


@dataclass(slots=True)
class Refusals:
    """One interface, as one process sees it."""

    clock: Clock
    _states: dict[Kind, _State] = field(default_factory=lambda: {kind: _State() for kind in Kind})

    def refused(self, kind: Kind, status: str) -> None:
        """A request was refused, whatever it was about. `status`: of HTTP, or why there is none."""
        state, now = self._states[kind], self.clock.now()
        is_soon = state.said_at is not None and timedelta() <= now - state.said_at < SAID_EVERY
        if not (state.is_refusing or is_soon):
            log.warning("the phone company refuses requests", request=kind.value, status=status)
            state.is_refusing, state.said_at = True, now

    def worked(self, kind: Kind) -> None:
        if self._states[kind].is_refusing:
            log.warning("the phone company takes requests again", request=kind.value)
            self._states[kind].is_refusing = False
