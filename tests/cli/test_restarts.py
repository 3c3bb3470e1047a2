"""The line is replaced while people call: processes of `ivr serve`, one after the other and beside each other, behind a
socket that outlives them, and calls that go on through all of it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
import typer

from ivr.carrier.loopback import Line
from ivr.carrier.transport import HttpTransport, Reply, Unreachable
from ivr.cli import listening
from ivr.kit.clock import SystemClock, VirtualClock
from tests.cli.test_serving import IVR, environment, ivr, served
from tests.shipped import ROOT, text

PATIENT = 60
"""Seconds that anything may take here: the machine may be busy."""
REPORT = ("1", "1", "2", "1", "#", "1", "1")
CALLERS = 4


def started(settings: dict[str, str], door: socket.socket, **of: str) -> subprocess.Popen[str]:
    """A line that listens on this socket, started as systemd does it. `of`: other settings."""
    passing = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve --demo'
    return subprocess.Popen(
        ["/bin/sh", "-c", passing, str(IVR)],
        cwd=ROOT,
        env={**settings, **of},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=(3,),
        preexec_fn=lambda: os.dup2(door.fileno(), 3),
    )


async def serving(process: subprocess.Popen[str]) -> None:
    """Until it says how to call it: then its socket is served as soon as the loop runs."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENT):
        while "Ctrl-C stops it" not in (said := await asyncio.to_thread(process.stdout.readline)):
            assert said, "it has ended"


async def stopped(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(process.communicate, timeout=PATIENT)
    assert process.returncode == -signal.SIGTERM


@dataclass
class Strict:
    """A way to the line on which no webhook is ever refused or lost, or it is noted."""

    client: httpx2.AsyncClient
    answered: int = 0
    wrong: list[str] = field(default_factory=list)

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            reply = await HttpTransport(self.client).post(url, headers=headers, body=body)
        except Unreachable as error:
            self.wrong.append(str(error))
            raise
        if reply.status != 200:
            self.wrong.append(f"{reply.status}")
        self.answered += 1
        return reply


@dataclass
class Callers:
    """People who call one after the other and report, until they are told that it is enough."""

    port: int
    token: str
    ways: tuple[Strict, ...]
    reports: int = 0
    enough: bool = False
    unsaved: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        return [wrong for way in self.ways for wrong in way.wrong] + self.unsaved

    async def call(self, who: int) -> None:
        url = f"http://127.0.0.1:{self.port}/voice"
        clock = VirtualClock(SystemClock().now())
        line = Line(
            f"{url}/answer", f"{url}/hangup", self.token, self.ways[who % len(self.ways)], clock, seed=f"caller {who}"
        )
        while not self.enough:
            rosa = await line.call()
            for key in REPORT:
                await rosa.press(key)
            if text("en", "line.saved") not in str(rosa.heard):
                self.unsaved.append(f"not saved: {rosa.heard}")
            self.reports += 1
            await rosa.hang_up()

    async def while_they_call(self, more: int = 6) -> None:
        """Until so many more reports were told as saved."""
        since = self.reports
        await until(lambda: self.reports >= since + more or bool(self.wrong))


def client(*, keep_alive: int) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_keepalive_connections=keep_alive)
    return httpx2.AsyncClient(timeout=PATIENT, limits=limits, trust_env=False)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENT):
        while not true():  # noqa: ASYNC110 real processes tell nobody
            await asyncio.sleep(0)


async def replaced(settings: dict[str, str], folder: Path) -> Callers:
    """One line, another beside it, the first gone; then the second is gone, and a third one comes after it."""
    processes: list[subprocess.Popen[str]] = []
    with socket.create_server(("127.0.0.1", int(settings["PORT"]))) as door:
        try:
            processes.append(first := started(settings, door))
            await serving(first)
            await until((folder / "loopback-token").exists)
            token = (folder / "loopback-token").read_text().strip()
            async with client(keep_alive=CALLERS) as keeping, client(keep_alive=0) as closing:
                callers = Callers(int(settings["PORT"]), token, (Strict(keeping), Strict(closing)))
                async with asyncio.TaskGroup() as group:
                    for who in range(CALLERS):
                        group.create_task(callers.call(who))
                    await callers.while_they_call()
                    processes.append(second := started(settings, door))
                    await serving(second)
                    await callers.while_they_call()
                    await stopped(first)
                    await callers.while_they_call()
                    await stopped(second)
                    processes.append(third := started(settings, door))
                    await serving(third)
                    await callers.while_they_call()
                    callers.enough = True
            await stopped(third)
            return callers
        finally:
            for process in processes:
                if process.poll() is None:
                    process.kill()
                    process.communicate()


@pytest.mark.timeout(300)
def test_no_webhook_is_refused_and_no_report_lost_while_the_line_is_replaced(tmp_path: Path) -> None:
    """Whether the phone company keeps its connections open, or opens one for each webhook."""
    folder = tmp_path / "data"
    settings = environment(folder)
    callers = asyncio.run(replaced(settings, folder))
    assert callers.wrong == []
    assert all(way.answered > len(REPORT) for way in callers.ways)
    listed = ivr(settings, "reports", "list").stdout.splitlines()
    assert len(listed) == 1 + callers.reports


def test_a_line_without_a_socket_of_its_own_refuses_while_it_is_away(tmp_path: Path) -> None:
    """What the test above would find."""
    settings = environment(tmp_path / "data")
    with served(settings):
        pass

    async def calls() -> list[str]:
        token = (tmp_path / "data" / "loopback-token").read_text().strip()
        async with client(keep_alive=0) as one:
            callers = Callers(int(settings["PORT"]), token, (Strict(one),))
            with pytest.raises(RuntimeError, match="the call is over"):
                await callers.call(1)
            return callers.wrong

    assert asyncio.run(calls()) != []


def test_what_cannot_be_listened_on_is_told_with_its_cure(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        refused = subprocess.run(
            ["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" serve --demo', str(IVR)],
            cwd=ROOT,
            env=environment(tmp_path / "data"),
            capture_output=True,
            text=True,
            timeout=PATIENT,
            pass_fds=(3,),
            preexec_fn=lambda: os.dup2(other.fileno(), 3),
        )
    assert refused.returncode == 2
    assert "not a TCP socket that listens" in refused.stderr
    assert "ListenStream=" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_two_sockets_are_one_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        listening.passed_on({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2"})
    assert "2 sockets were passed on" in capsys.readouterr().err


def test_a_socket_that_was_passed_to_another_process_is_left_alone() -> None:
    told = {"LISTEN_PID": str(os.getpid() + 1), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "door", "PORT": "8000"}
    assert listening.passed_on(told) is None
    assert told == {"PORT": "8000"}, "nor is it passed on again"


def test_of_two_lines_that_begin_at_once_both_know_the_token_of_the_first(tmp_path: Path) -> None:
    """Both found none, and each has made one."""
    script = (
        "import sys; from pathlib import Path; from ivr.cli import place; from ivr.settings import Settings\n"
        "place.write_first(Path(sys.argv[1]) / 'loopback-token', sys.argv[2].encode())\n"
        "print(place.loopback_token(Settings(data_dir=Path(sys.argv[1]))))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), name], stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    said = {process.communicate(timeout=PATIENT)[0].strip() for process in both}
    assert said in ({"one"}, {"two"})
    assert [path.name for path in tmp_path.iterdir()] == ["loopback-token"]
