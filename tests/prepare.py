"""Installs what the tests need beyond Python, where it may; `make test` runs it first. Says loudly what is missing."""

import os
import shutil
import subprocess

PROGRAMS = {"espeak-ng": "espeak-ng"}
"""Program -> Debian's package."""


def main() -> None:
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if not missing:
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {' '.join(missing)} for the tests ...", flush=True)
        quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
        for command in (
            ["apt-get", "update", "-q"],
            ["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing],
        ):
            if subprocess.run(command, **quiet).returncode != 0:  # type: ignore[call-overload]
                break
    still = " ".join(package for program, package in PROGRAMS.items() if shutil.which(program) is None)
    if still:
        print(f"NOT INSTALLED: {still}. The tests that need it are SKIPPED. (Debian: apt install {still})", flush=True)


if __name__ == "__main__":
    main()
