"""`ivr serve`, as `make run` starts it: a real process, called over HTTP, stopped by a signal."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2

from ivr.carrier.documents import Speak
from ivr.carrier.loopback import Line, PhoneCall
from ivr.carrier.transport import HttpTransport
from ivr.kit.clock import SystemClock, VirtualClock
from tests.shipped import ROOT, text

IVR = Path(sys.executable).parent / "ivr"
WHOLE_REPORT = "1 1 2 1 # 7 1 1 /silence # # # # # # # # # # # 1 2 # 0 /hangup"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, **more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("IVR_")}
    return {**plain, "PORT": str(free_port()), "IVR_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1", **more}


@contextmanager
def served(settings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [IVR, "serve", "--demo"], cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_until_healthy(process, settings["PORT"])
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate()


def wait_until_healthy(process: subprocess.Popen[str], port: str) -> None:
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as reply:
                assert reply.status == 200
                return
        except OSError:
            assert process.poll() is None, process.communicate()[0]
            # Not a sleep: wait for the process to end, for a tenth of a second; while it lives, ask again.
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)


def ivr(settings: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([IVR, *words], cwd=ROOT, env=settings, capture_output=True, text=True)


def test_a_newcomer_serves_calls_in_both_languages_and_reads_what_was_kept(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data")
    with served(settings):
        for keys, saved in (
            (WHOLE_REPORT, text("en", "line.saved")),
            ("2" + WHOLE_REPORT[1:], text("es", "line.saved")),
        ):
            call = ivr(settings, "call", "--through-the-door", "--keys", keys)
            assert call.returncode == 0, call.stderr
            assert saved in call.stdout
        here = ivr(settings, "call", "--keys", "1 1 1 # # 3 1 9")
        assert text("en", "line.saved") in here.stdout
        listed = ivr(settings, "reports", "list")
        assert len(listed.stdout.splitlines()) == 4
    read = ivr(
        settings, "reports", "read", "--print-secrets", "--passphrase-file", str(tmp_path / "data" / "demo-passphrase")
    )
    assert read.returncode == 0
    assert read.stdout.count("taken (") == 2
    assert read.stdout.count("hurt (") == 1


def test_demo_keys_under_plivo_are_warned_about_loudly(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data")
    plivo = {
        **settings,
        "IVR_PLIVO_AUTH_ID": "MANWVLYTK4ZWU1YTY4QA",
        "IVR_PLIVO_AUTH_TOKEN": "not-a-real-token",
        "IVR_PLIVO_NUMBER": "+12125550100",
        "IVR_PUBLIC_URL": "https://line.example.org",
    }
    process = subprocess.Popen(
        [IVR, "serve", "--demo"], cwd=ROOT, env=plivo, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    wait_until_healthy(process, settings["PORT"])
    process.send_signal(signal.SIGTERM)
    assert "WARNING: these are DEMO keys" in process.communicate()[0]


def test_plivo_without_keys_is_refused_with_the_cure(tmp_path: Path) -> None:
    settings = environment(
        tmp_path / "data",
        IVR_PLIVO_AUTH_ID="MANWVLYTK4ZWU1YTY4QA",
        IVR_PLIVO_AUTH_TOKEN="not-a-real-token",
        IVR_PLIVO_NUMBER="+12125550100",
        IVR_PUBLIC_URL="https://line.example.org",
    )
    refused = ivr(settings, "serve")
    assert refused.returncode == 2
    assert "ivr init" in refused.stderr


def test_wrong_settings_are_told_all_at_once_without_a_traceback(tmp_path: Path) -> None:
    refused = ivr(environment(tmp_path, IVR_PUBLIC_URL="nowhere", IVR_DUTY_NUMBERS="12"), "serve")
    assert refused.returncode == 2
    assert "IVR_PUBLIC_URL" in refused.stderr
    assert "IVR_DUTY_NUMBERS" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_call_to_a_line_that_is_not_served_says_so(tmp_path: Path) -> None:
    (tmp_path / "loopback-token").write_text("a-token")
    call = ivr(environment(tmp_path), "call", "--through-the-door", "--keys", "1")
    assert call.returncode == 2
    assert "Nobody answers on http://127.0.0.1" in call.stderr


def test_without_keys_serving_says_how_to_make_them_or_to_try_it_out(tmp_path: Path) -> None:
    refused = ivr(environment(tmp_path / "data"), "serve")
    assert refused.returncode == 2
    assert "ivr init" in refused.stderr
    assert "--demo" in refused.stderr


def test_a_port_that_is_taken_is_told_before_anything_is_promised(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data")
    with socket.create_server(("127.0.0.1", int(settings["PORT"]))):
        refused = ivr(settings, "serve", "--demo")
    assert refused.returncode == 2
    assert "PORT" in refused.stderr
    assert "Porchlight answers" not in refused.stdout


def test_a_line_that_nobody_answers_says_so_when_it_starts(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data", IVR_FLOWS_DIR=str(ROOT / "flows"))
    (tmp_path / "ana").write_text("four quiet harbor lamps")
    hers = ("--passphrase-file", str(tmp_path / "ana"))
    assert ivr(settings, "init", "--advocate", "ana", *hers, "--shares-file", str(tmp_path / "s")).returncode == 0

    def warned() -> str:
        process = subprocess.Popen(
            [IVR, "serve"], cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        wait_until_healthy(process, settings["PORT"])
        process.send_signal(signal.SIGTERM)
        return process.communicate()[0]

    assert "! Nobody answers callers yet" in warned()
    assert ivr(settings, "advocates", "set", "ana", "--phone", "+12125550143", "--languages", "en").returncode == 0
    assert ivr(settings, "rota", "add", "ana", "--every-day", "00:00-12:00").returncode == 0
    said = warned()
    assert "! Nobody is on call from" in said
    assert "! Nobody on call speaks es from" in said
    assert ivr(settings, "rota", "add", "ana", "--every-day", "12:00-24:00").returncode == 0
    assert ivr(settings, "advocates", "set", "ana", "--languages", "en,es").returncode == 0
    assert "! Nobody" not in warned()


def test_a_damaged_spool_keeps_no_line_down_and_is_kept(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data")
    noise = b"noise" * 1000
    with served(settings):
        pass
    for n in (1, 2):
        (tmp_path / "data" / "spool.db").write_bytes(noise)
        with served(settings):
            pass
        assert (tmp_path / "data" / f"spool.db.damaged-{n}").read_bytes() == noise
    (tmp_path / "data" / "spool.db").write_bytes(noise)
    with socket.create_server(("127.0.0.1", int(settings["PORT"]))):
        said = ivr(settings, "serve", "--demo").stderr
    assert "the spool was damaged" in said
    assert f"{tmp_path / 'data' / 'spool.db.damaged-3'}" in said
    assert "damaged" not in ivr(settings, "reports", "list").stderr


def test_a_damaged_database_is_not_set_aside(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data")
    with served(settings):
        pass
    (tmp_path / "data" / "porchlight.db").write_bytes(b"noise" * 1000)
    refused = ivr(settings, "serve", "--demo")
    assert (refused.returncode, "`ivr restore FOLDER`" in refused.stderr) == (2, True)
    assert list((tmp_path / "data").glob("*.damaged*")) == []


def test_a_folder_that_keys_cannot_lie_in_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = ivr(environment(tmp_path / "data", IVR_RUN_DIR=str(tmp_path / "file")), "serve", "--demo")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    elsewhere = ivr(environment(tmp_path / "file"), "reports", "list")
    assert elsewhere.returncode == 2
    assert "IVR_DATA_DIR" in elsewhere.stderr


def test_a_call_goes_on_where_it_was_after_the_line_was_restarted(tmp_path: Path) -> None:
    settings = environment(tmp_path / "data")

    async def rings() -> PhoneCall:
        async with httpx2.AsyncClient() as client:
            token = (tmp_path / "data" / "loopback-token").read_text().strip()
            url = f"http://127.0.0.1:{settings['PORT']}/voice"
            clock = VirtualClock(SystemClock().now())
            line = Line(f"{url}/answer", f"{url}/hangup", token, HttpTransport(client), clock, seed="restart")
            rosa = await line.call()
            for key in ("1", "1", "2", "1", "#", "1"):
                await rosa.press(key)
            running.send_signal(signal.SIGTERM)
            running.communicate()
            with served(settings):
                await rosa.press("1")
                assert isinstance(rosa.heard[0], Speak)
                assert text("en", "line.saved") in rosa.heard[0].text
            return rosa

    with served(settings) as running:
        asyncio.run(rings())
    listed = ivr(settings, "reports", "list")
    assert len(listed.stdout.splitlines()) == 2
