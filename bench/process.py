"""A server under measurement: a process of its own on a core of its own. Linux only: what it costs is read from /proc.
Knows nothing of what it serves."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOST = "127.0.0.1"
PATIENCE_SECONDS = 60
"""For a server to come up, on a machine that may be busy."""

_BYTES_IN_MB = 1_000_000


class NeverServed(Exception):
    """A server did not come up; the message is what it printed."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where servers run, and where the load is made: never on one core unless there is only one."""

    server: int
    load: int
    count: int

    @classmethod
    def here(cls) -> "Cores":
        usable = sorted(os.sched_getaffinity(0))
        return cls(usable[0], usable[-1], len(usable))


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers on `port`; `started_at` is of `time.monotonic`."""

    pid: int
    port: int
    started_at: float

    def cpu_seconds(self) -> float:
        """User and system time of the process and its children so far."""
        return sum(_nanoseconds(pid) for pid in _family(self.pid)) / 1e9

    def resident_mb(self) -> float:
        """VmRSS of the process."""
        return _status(self.pid)["VmRSS"] * 1024 / _BYTES_IN_MB


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """This process, and whatever it starts in here, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(command: Sequence[str], *, port: int, core: int, folder: Path, more: Mapping[str, str]) -> Iterator[Server]:
    """The command, until the end of the block; it listens when the block begins. Raises NeverServed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IVR_")} | dict(more)
    began = time.monotonic()
    printed = folder / f"printed-{port}"
    with printed.open("wb") as output, on_core(core):
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(process, port, printed)
        yield Server(process.pid, port, began)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def _wait(process: "subprocess.Popen[bytes]", port: int, printed: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.005)
    process.kill()
    raise NeverServed(printed.read_text("utf-8", "replace"))


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return [pid, *map(int, children)]


def _nanoseconds(pid: int) -> int:
    """On a processor, of all its threads."""
    return sum(int(file.read_text("ascii").split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def _status(pid: int) -> dict[str, int]:
    """In kB."""
    rows = (row.split() for row in Path(f"/proc/{pid}/status").read_text("ascii").splitlines())
    return {row[0].rstrip(":"): int(row[1]) for row in rows if len(row) == 3 and row[2] == "kB"}
