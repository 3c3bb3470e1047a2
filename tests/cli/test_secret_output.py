"""Secrets are printed at a terminal, and elsewhere only where somebody asks for it: a container's output is a log."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from ivr.cli.main import app
from tests.cli.test_calling import WHOLE_REPORT, ivr
from tests.cli.test_custody_commands import desk, given, shares
from tests.cli.test_hostile_names import commands
from tests.shipped import ROOT

__all__ = ["desk"]

PRINTS = {"init", "keys shares", "advocates pin", "reports read"}
OPTION = "--print-secrets"
PHONE = ("--phone", "+12125550143", "--languages", "en", "--zone", "America/New_York", "--answers-only")


def options(name: str) -> set[str]:
    command = typer.main.get_command(app)
    for word in name.split():
        command = command.commands[word]  # type: ignore[attr-defined]  # of a group
    return {option for parameter in command.params for option in parameter.opts}


def test_every_command_that_prints_secrets_has_the_option_and_no_other() -> None:
    assert {name for name in commands() if OPTION in options(name)} == PRINTS


def test_a_report_is_opened_for_a_terminal_only(desk: Path) -> None:
    assert ivr("call", "--keys", WHOLE_REPORT["English"])[0] == 0
    code, said = ivr("reports", "read", *given(desk, "ana"))
    assert (code, "taken (" in said) == (2, False)
    assert OPTION in said
    code, said = ivr("reports", "read", OPTION, *given(desk, "ana"))
    assert (code, "taken (" in said) == (0, True)


def test_shares_that_would_be_printed_into_a_log_are_not_made(desk: Path) -> None:
    code, said = ivr("keys", "shares", *given(desk, "ana"))
    assert (code, "# share" in said) == (2, False)
    assert "--shares-file" in said
    one, two, _ = shares(desk)
    assert ivr("keys", "recover", "--drill", "--share-file", one, "--share-file", two)[0] == 0, "the old ones are good"
    code, said = ivr("keys", "shares", OPTION, *given(desk, "ana"))
    assert (code, said.count("# share")) == (0, 3)


def test_a_pin_that_would_be_printed_into_a_log_is_not_made(desk: Path) -> None:
    assert ivr("advocates", "add", "bo", *PHONE, *given(desk, "ana"))[0] == 0
    code, said = ivr("advocates", "pin", "bo")
    assert (code, OPTION in said) == (2, True)
    assert "no PIN" in ivr("rota", "list")[1]
    assert "The PIN of bo is" in ivr("advocates", "pin", "bo", OPTION)[1]


def test_no_keys_are_made_whose_shares_would_be_printed_into_a_log(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVR_DATA_DIR", str(desk / "new"))
    code, said = ivr("init", *given(desk, "ana"))
    assert (code, "# share" in said) == (2, False)
    assert not [*(desk / "new").glob("organisation-key")]
    code, said = ivr("init", *given(desk, "ana"), OPTION)
    assert (code, said.count("# share")) == (0, 3)
    assert "Nothing to do" in ivr("init", *given(desk, "ana"))[1]


def test_at_a_terminal_they_are_printed_without_being_asked_for(desk: Path) -> None:
    ours, its = os.openpty()
    environment = os.environ | {"IVR_DATA_DIR": str(desk / "new"), "IVR_SECRET": "", "COLUMNS": "200"}
    command = [sys.executable, "-m", "ivr", "init", *given(desk, "ana")]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=its, stdin=subprocess.DEVNULL) as process:
        os.close(its)
        said = b""
        try:
            while part := os.read(ours, 4_096):
                said += part
        except OSError:
            pass  # Linux says so when the other side is closed
    os.close(ours)
    assert process.returncode == 0
    assert said.count(b"# share") == 3
