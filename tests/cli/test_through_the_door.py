"""`ivr call --through-the-door`: transfers at one terminal, to a line that is served by another process."""

import asyncio
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from subprocess import PIPE, STDOUT

import httpx2
import pytest

from ivr.carrier.loopback import Line
from ivr.carrier.states import Ringing, State
from ivr.carrier.transport import HttpTransport
from ivr.kit.clock import SystemClock, VirtualClock
from tests.cli.test_serving import IVR, environment, free_port, ivr, served
from tests.shipped import ROOT, text

TAKEN = "1 0 /phone 1 answers /phone 1 presses 3 /phone 1 presses 1 /silence /silence /phone 1 hangs up /hang up"
PASSED = "1 0 /phone 1 answers /phone 1 presses 2 /silence /hang up"


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], str]]:
    """A line without an account, as a newcomer serves it, and what it told her."""
    settings = environment(tmp_path_factory.mktemp("line"), IVR_PLIVO_API_URL=f"http://127.0.0.1:{free_port()}")
    with served(settings) as process:
        assert process.stdout is not None
        told = ""
        while "Ctrl-C" not in told:
            told += process.stdout.readline()
        yield settings, told


def called(settings: dict[str, str], keys: str) -> list[str]:
    call = ivr(settings, "call", "--through-the-door", "--keys", keys)
    assert call.returncode == 0, call.stdout + call.stderr
    return call.stdout.splitlines()


def in_order(lines: list[str], *parts: str) -> bool:
    rest = iter(lines)
    return all(any(part in one for one in rest) for part in parts)


def test_a_newcomer_is_told_whom_the_line_rings_and_how_to_answer(line: tuple[dict[str, str], str]) -> None:
    _, told = line
    assert "two phones that do not exist, +12125550141 and +12125550142, answer callers" in told
    assert "/phone 1 answers" in told


def test_a_warm_transfer_that_is_taken(line: tuple[dict[str, str], str]) -> None:
    heard = called(line[0], TAKEN)
    assert in_order(
        heard,
        "[phone 1, +12125550141, rings: it shows Porchlight +15005550006.",
        "[phone 2, +12125550142, rings:",
        "> /phone 1 answers",
        "      phone 1 hears: A call for you.",
        "> /phone 1 presses 3",
        "      phone 1 hears: Hotline. The caller speaks English",
        "> /phone 1 presses 1",
        "[phone 2 rings no more: originator cancel]",
        "[you and phone 1 are together, and talk]",
        "> /phone 1 hangs up",
        f"  {text('en', 'after_talk')}",
        "[the call is over: normal clearing]",
    ), heard
    assert not [one for one in heard if one.startswith("  ") and "12125550100" in one]


def test_when_one_passes_and_the_other_sleeps_she_hears_that_nobody_can(line: tuple[dict[str, str], str]) -> None:
    heard = called(line[0], PASSED.replace("/hang up", "/silence /silence /hang up"))
    assert in_order(
        heard,
        "> /phone 1 presses 2",
        "[phone 1 is on no call any more: normal clearing]",
        "[phone 2 rings no more: no answer]",
        text("en", "nobody_free"),
    ), heard


def test_her_number_alone_is_rung_where_it_is_set_and_nobody_is_imagined(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data", IVR_DUTY_NUMBERS="+12125550143")
    with served(settings) as process:
        heard = called(settings, PASSED)
        assert in_order(heard, "[phone 1, +12125550143, rings:", text("en", "nobody_free")), heard
        assert not any("phone 2" in one for one in heard)
    assert process.stdout is not None


def test_a_person_at_the_keyboard_answers_and_meanwhile_nobody_calls_from_another(
    line: tuple[dict[str, str], str],
) -> None:
    settings, _ = line
    call = subprocess.Popen(
        [IVR, "call", "--through-the-door"], cwd=ROOT, env=settings, stdin=PIPE, stdout=PIPE, stderr=STDOUT, text=True
    )
    assert call.stdin is not None
    assert call.stdout is not None
    for seen, typed in (
        ("Porchlight", "1"),
        ("press 1", "0"),
        ("phone 2", "/phone 2 answers"),
        ("phone 2 hears: A call", "/phone 2 presses 1"),
        ("you and phone 2 are together", "/hang up"),
        ("How did it go", "/phone 2 presses 1"),
    ):
        while seen not in (shown := call.stdout.readline()):
            assert shown, f"{seen} was never shown"
        if typed == "0":
            refused = ivr(settings, "call", "--through-the-door", "--keys", "1")
            assert (refused.returncode, "Another call is under way" in refused.stderr) == (2, True)
        print(typed, file=call.stdin, flush=True)
    rest, _ = call.communicate()
    assert "[phone 2 is on no call any more: normal clearing]" in rest
    assert call.returncode == 0


def test_where_nobody_listens_the_line_dials_at_once(line: tuple[dict[str, str], str]) -> None:
    settings, _ = line

    async def dialled() -> State:
        async with httpx2.AsyncClient() as client:
            token = (Path(settings["IVR_DATA_DIR"]) / "loopback-token").read_text().strip()
            url = f"http://127.0.0.1:{settings['PORT']}/voice"
            clock = VirtualClock(SystemClock().now())
            rosa = await Line(f"{url}/answer", f"{url}/hangup", token, HttpTransport(client), clock, seed="dial").call()
            for key in ("1", "0"):
                await rosa.press(key)
            await rosa.silence()
            return rosa.state

    state = asyncio.run(dialled())
    assert isinstance(state, Ringing)
    assert set(state.dial.numbers) == {"+12125550141", "+12125550142"}


class _Stranger(BaseHTTPRequestHandler):
    """Somebody else's web server."""

    def do_POST(self) -> None:
        self.send_error(404)

    do_GET = do_POST  # noqa: N815 -- its name there

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
        pass


@contextmanager
def stranger() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_where_somebody_else_listens_the_call_says_so_and_the_line_dials(tmp_path: Path) -> None:
    with stranger() as port:
        settings = environment(tmp_path / "data", IVR_PLIVO_API_URL=f"http://127.0.0.1:{port}")
        with served(settings):
            heard = called(settings, "1 0 /silence /talked 9")
            again = called(settings, "1 0 /silence /nobody 9")
    assert f"Port {port} is taken" in heard[0]
    assert in_order(
        heard,
        "[phone 1, +12125550141, rings:",
        "> /talked",
        "[you and phone 1 are together, and talk]",
        text("en", "after_talk"),
        "[the call is over: normal clearing]",
    ), heard
    assert in_order(again, "> /nobody", text("en", "nobody_free"), "[the call is over: normal clearing]"), again
