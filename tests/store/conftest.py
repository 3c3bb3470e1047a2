"""Every store test that takes `url` runs on each database there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.databases import KINDS, UNTESTED, database_of


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    with database_of(request.param, tmp_path) as empty:
        yield empty


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if UNTESTED:
        terminalreporter.write_line(UNTESTED)
