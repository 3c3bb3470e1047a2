"""Notes which test shows which imitated behaviour, so that none is claimed without one."""

from collections.abc import Callable
from typing import TypeVar

from ivr.carrier.behaviours import Behaviour

Test = TypeVar("Test", bound=Callable[..., object])

SHOWN: dict[str, list[str]] = {}


def shows(*behaviours: Behaviour) -> Callable[[Test], Test]:
    def note(test: Test) -> Test:
        for behaviour in behaviours:
            SHOWN.setdefault(behaviour.name, []).append(test.__qualname__)
        return test

    return note
