"""What the tests of the promises examined, as a table: promise, what, cases, result.

A test file joins by its name alone: test_s1_forged_webhooks.py speaks for S1. A test that can count what it looked at
takes the fixture `record` and says `record(1_000, "forged webhooks")`, before or after it asserts; equal words of one
promise are added up. A test that says nothing is counted as one of "other tests", one called test_mutant_... as one of
"mutants". Print the table with `pytest --promises` or `make prove`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

RECORDED = "examined"
"""The user property under which a report carries what its test recorded."""
MUTANTS = "mutants"
OTHERS = "other tests"

_FILE = re.compile(r"promises/test_([a-z]\d+)_\w+\.py")
_STAGES = {"passed": ("call",), "failed": ("setup", "call", "teardown"), "skipped": ("setup", "call")}


Examined = tuple[int, str]
"""So many cases of something. Plain, so that it comes home from the process of another worker."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one test says of itself."""

    properties: list[tuple[str, object]]

    def __call__(self, cases: int, what: str) -> None:
        """So many cases of this were looked at."""
        self.properties.append((RECORDED, (cases, what)))


@dataclass(slots=True)
class Row:
    """One line of the table. `trouble`: the tests behind it that failed or were skipped, and how."""

    promise: str
    what: str
    cases: int = 0
    trouble: list[str] = field(default_factory=list)

    @property
    def result(self) -> str:
        if self.trouble:
            return "; ".join(sorted(self.trouble))
        return "seen, each" if self.what == MUTANTS else "holds"


def promise_of(file: str) -> str | None:
    """S1, for the path or node id of test_s1_....py in this folder."""
    found = _FILE.search(Path(file).as_posix())
    return found and found[1].upper()


def known(folder: Path = Path(__file__).parent) -> list[str]:
    """Every promise that has a file."""
    return sorted({promise_of(path.as_posix()) or "" for path in folder.glob("test_*.py")} - {""})


def rows(reports: Iterable[pytest.TestReport]) -> list[Row]:
    """What ran, by promise; a promise that has a file and no test that ran is there too."""
    found: dict[tuple[str, str], Row] = {}
    for report in reports:
        promise = promise_of(report.nodeid)
        if promise is None or report.when not in _STAGES.get(report.outcome, ()):
            continue
        for cases, what in _said(report):
            row = found.setdefault((promise, what), Row(promise, what))
            row.cases += cases
            if report.outcome != "passed":
                row.trouble.append(f"{report.outcome.upper()}: {report.nodeid.rpartition('::')[2]}")
    ran = {promise for promise, _ in found}
    missing = [Row(promise, "nothing", 0, ["NOT RUN"]) for promise in known() if promise not in ran]
    return sorted([*found.values(), *missing], key=lambda row: (row.promise, row.what in (MUTANTS, OTHERS), row.what))


def _said(report: pytest.TestReport) -> list[Examined]:
    """What one test looked at."""
    if report.nodeid.rpartition("::")[2].startswith("test_mutant_"):
        return [(1, MUTANTS)]
    said = [cast(Examined, value) for name, value in report.user_properties if name == RECORDED]
    return said or [(1, OTHERS)]


def table(of: list[Row]) -> Iterator[str]:
    """The rows as lines."""
    wide = max(len(row.what) for row in of)
    yield f"{'promise':8} {'what':{wide}} {'cases':>12}  result"
    for row in of:
        yield f"{row.promise:8} {row.what:{wide}} {row.cases:>12,}  {row.result}"
