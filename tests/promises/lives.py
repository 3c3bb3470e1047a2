"""Lines that are born and die, one after the other, and what the next process finds of each."""

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ivr.services.custody.sessions import Session
from tests.promises.dying import Plan
from tests.promises.saving import Outcome, opened_in, read_told

KILLED = (-signal.SIGKILL, -signal.SIGALRM)


class Lines:
    """Lines in `folder`, as children of one process. `blank`: an initialised database; `session`: its advocate's."""

    def __init__(self, folder: Path, blank: Path, session: Session, parent: "subprocess.Popen[str]") -> None:
        self._folder = folder
        self._blank = blank
        self._session = session
        self._parent = parent
        self._count = 0

    def plan(self, **of: Any) -> Plan:
        """The next line's."""
        self._count += 1
        folder = str(self._folder / f"line-{self._count}")
        return Plan(**{"folder": folder, "blank": str(self._blank), "seed": self._count, **of})

    def outcomes(
        self, plans: Iterable[Plan], *, before_looking: Callable[[], None] = lambda: None
    ) -> Iterator[Outcome]:
        """Each line's, as the next process finds it; that one looks while the next line is already living."""
        before: Plan | None = None
        try:
            for plan in plans:
                how = self._ended() if before else 0
                self._begin(plan)
                ended, before = before, plan
                if ended:
                    yield self._looked_at(ended, how=how)
        finally:
            how = self._ended() if before else 0
        if before:
            before_looking()
            yield self._looked_at(before, how=how)

    def _begin(self, plan: Plan) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.write(plan.line())
        self._parent.stdin.flush()

    def _ended(self) -> int:
        assert self._parent.stdout is not None
        return int(self._parent.stdout.readline())

    def _looked_at(self, plan: Plan, *, how: int) -> Outcome:
        folder = Path(plan.folder)
        told = read_told(plan.told) if plan.told.exists() else []
        outcome = asyncio.run(opened_in(folder, self._session, told))
        outcome.killed = int(how in KILLED)
        outcome.wrong += [] if how in (0, *KILLED) else [f"it ended by itself: {how}"]
        outcome.wrong = [f"{trouble} ({plan})" for trouble in outcome.wrong]
        plan.told.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=folder.is_mount())
        return outcome


@contextmanager
def lines_in(folder: Path, blank: Path, session: Session) -> Iterator[Lines]:
    """In memory, where there is a folder for it: what a killed process wrote is the kernel's already, on every disk."""
    memory = Path("/dev/shm")
    folder = Path(mkdtemp(dir=memory)) if memory.is_dir() else folder
    command = [sys.executable, "-m", "tests.promises.dying", str(folder)]
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
            yield Lines(folder, blank, session, parent)
    finally:
        shutil.rmtree(folder)


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """What became of all of them."""
    total = Outcome()
    for outcome in outcomes:
        total.add(outcome)
    return total


def first_wrong(outcomes: Iterable[Outcome]) -> Sequence[str]:
    """What is found first; whoever is still to live does not."""
    return next((outcome.wrong for outcome in outcomes if outcome.wrong), [])
