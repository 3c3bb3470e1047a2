"""No command leaves its memory in a file when it dies."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_serving import environment, served
from tests.shipped import ROOT

IS_DUMPABLE = """
import ctypes, sys
from ivr.cli.main import main
sys.argv = ["ivr", "--version"]
try:
    main()
except SystemExit:
    pass
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # PR_GET_DUMPABLE
"""

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it")


@needs_linux
def test_a_line_that_serves_may_write_no_core_dump(tmp_path: Path) -> None:
    with served(environment(tmp_path / "data")) as process:
        limits = Path(f"/proc/{process.pid}/limits").read_text()
    [core] = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert core.split()[4:6] == ["0", "0"]


@needs_linux
def test_no_command_can_be_dumped_into_another_program_either() -> None:
    done = subprocess.run([sys.executable, "-c", IS_DUMPABLE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "0"
