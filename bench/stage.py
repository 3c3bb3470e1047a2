"""What the figures share: a line that is set up, its traffic, the servers, and how long a round is."""

import shutil
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.load import Request, bodies
from bench.process import ROOT, Cores, Server, free_port, running
from bench.traffic import PUBLIC_URL, Site, Webhook
from ivr.flow.graph import Flow
from ivr.services.content import load


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: `rounds` of `seconds` with each server, `calls` in progress, `starts` of each command."""

    rounds: int
    seconds: float
    calls: int
    starts: int


FULL = Size(rounds=20, seconds=1, calls=5_000, starts=5)
TINY = Size(rounds=1, seconds=0.2, calls=50, starts=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: `promised` and `aim` as they are told, `kept` whether the promise is."""

    what: str
    measured: str
    promised: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """`folder` holds a line's content and its data, set up once."""

    folder: Path
    size: Size
    cores: Cores
    flow: Flow
    staff: Flow

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def site(self) -> Site:
        return Site(self.flow, self.staff, self.data / "run", (self.data / "loopback-token").read_text("ascii").strip())

    def settings(self, port: int) -> dict[str, str]:
        """The environment of a command on this line."""
        return {
            "PORT": str(port),
            "IVR_DATA_DIR": str(self.data),
            "IVR_PUBLIC_URL": PUBLIC_URL,
            "IVR_FLOWS_DIR": str(self.folder / "flows"),
            "IVR_PROMPTS_DIR": str(self.folder / "prompts"),
        }

    def line(self) -> AbstractContextManager[Server]:
        """`ivr serve`, as an operator starts it."""
        port = free_port()
        return self._running([sys.executable, "-m", "ivr", "serve", "--demo"], port, self.settings(port))

    def with_receipts(self) -> AbstractContextManager[Server]:
        """The same, where receipts can be looked up."""
        port = free_port()
        return self._running([sys.executable, "-m", "bench.with_receipts"], port, self.settings(port))

    def bare(self, document: bytes, replies: str = "as-uvicorn-does") -> AbstractContextManager[Server]:
        file, port = self.folder / "document.xml", free_port()
        file.write_bytes(document)
        return self._running([sys.executable, "-m", "bench.bare", str(port), str(file), replies], port, {})

    def docs_style(self) -> AbstractContextManager[Server]:
        port = free_port()
        settings = {"DOCS_STYLE_TOKEN": self.site.token, "DOCS_STYLE_DATABASE": str(self.folder / "sessions.db")}
        command = [sys.executable, "-m", "gunicorn", "--workers=1", f"--bind=127.0.0.1:{port}", "bench.docs_style:app"]
        return self._running(command, port, settings)

    def _running(self, command: list[str], port: int, more: dict[str, str]) -> AbstractContextManager[Server]:
        return running(command, port=port, core=self.cores.server, folder=self.folder, more=more)


def genuine(hook: Webhook) -> Request:
    """A webhook as it was recorded."""
    return Request(hook.raw(), len(hook.reply))


def set_up(folder: Path, size: Size) -> Stage:
    """A line with keys, as `make run` makes it, and a copy of its content: whoever edits that while minutes of figures
    pass must not be taken for a wrong reply."""
    for top in ("flows", "prompts"):
        shutil.copytree(ROOT / top, folder / top)
    content = load(folder / "flows", folder / "prompts")
    flow, staff = content.flow, content.staff
    assert flow is not None and staff is not None, "the shipped flows are clean"
    stage = Stage(folder, size, Cores.here(), flow, staff)
    with stage.line() as line:
        uvloop.run(bodies(line.port, [Request(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", None)]))
    return stage
