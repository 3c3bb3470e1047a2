"""The table of the promises: a test joins it by the name of its file, and what failed or was skipped shows in it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pytest

from tests.promises.ledger import MUTANTS, OTHERS, RECORDED, Record, known, promise_of, rows, table

FILE = "tests/promises/test_z9_nothing.py"


def a_report(
    name: str, outcome: Literal["passed", "failed", "skipped"] = "passed", said: Iterable[tuple[int, str]] = ()
) -> pytest.TestReport:
    properties: list[tuple[str, object]] = []
    for cases, what in said:
        Record(properties)(cases, what)
    return pytest.TestReport(f"{FILE}::{name}", (FILE, 1, name), {}, outcome, None, "call", user_properties=properties)


def test_a_file_speaks_for_the_promise_in_its_name() -> None:
    assert promise_of(f"{FILE}::test_it[a/b]") == "Z9"
    assert promise_of("tests/promises/test_ledger.py::test_it") is None
    assert promise_of("tests/store/test_a1_names.py") is None
    assert {"A1", "A5", "A8", "R2", "R3", "S1"} <= set(known())


def test_every_promise_that_a_text_could_break_has_a_file_about_texts() -> None:
    """A5 has not: its one file is about all that is sealed."""
    files = Path(__file__).parent.glob("test_*_texts.py")
    assert {promise_of(path.as_posix()) for path in files} >= {"A1", "A2", "A4", "A8", "R2", "R3", "S1"}


def test_equal_words_are_added_up_and_the_rest_is_counted() -> None:
    said = {"said": [(3, "things")]}
    found = rows(
        [
            a_report("test_one", said=said["said"]),
            a_report("test_two", said=[(4, "things"), (1, "others")]),
            a_report("test_three"),
            a_report("test_mutant_one", said=[(9, "things")]),
        ]
    )
    ours = [(row.what, row.cases, row.result) for row in found if row.promise == "Z9"]
    assert ours == [
        ("others", 1, "holds"),
        ("things", 7, "holds"),
        (MUTANTS, 1, "seen, each"),
        (OTHERS, 1, "holds"),
    ]


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_what_failed_or_was_skipped_shows(outcome: Literal["failed", "skipped"]) -> None:
    found = [row for row in rows([a_report("test_one", outcome, [(3, "things")])]) if row.promise == "Z9"]
    assert [row.result for row in found] == [f"{outcome.upper()}: test_one"]


def test_a_promise_whose_tests_did_not_run_says_so() -> None:
    lines = list(table(rows([])))
    assert len(lines) == 1 + len(known())
    assert all(line.endswith("NOT RUN") for line in lines[1:])


def test_what_a_test_records_is_a_property_of_its_report(record: Record, request: pytest.FixtureRequest) -> None:
    record(2, "things")
    assert (RECORDED, (2, "things")) in request.node.user_properties
