"""What several promises look at, made once: an initialised database to copy, and all that a line left behind after
every path and every fault. And the table of what was looked at."""

import asyncio
from pathlib import Path

import pytest

from tests.promises.evidence import Evidence, gathered
from tests.promises.house import BEGINNING, initialised
from tests.promises.ledger import Record, rows, table
from tests.promises.paths import Cover, Walker, cover, everything
from tests.promises.scenes import SCENES
from tests.promises.warm import Warm, played
from tests.shipped import flow


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an initialised database without reports."""
    folder = tmp_path_factory.mktemp("blank")
    asyncio.run(initialised(folder))
    return folder


@pytest.fixture(scope="session")
def paths() -> Cover:
    """Calls that take every path of the shipped flow. Who walked it, and remembers all ways there are, is gone with
    this: the tests that search all memory would search it too."""
    return cover(Walker(flow(), BEGINNING, opens=True), everything(flow()))


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory, blank: Path, paths: Cover) -> Evidence:
    """All that a line kept and sent after every path of the flow and every fault."""
    return asyncio.run(gathered(tmp_path_factory.mktemp("evidence"), blank, paths.calls))


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory, blank: Path) -> Warm:
    """All that a line kept, asked and told when callers wanted a person, whatever came of it."""
    return asyncio.run(played(tmp_path_factory.mktemp("warm"), blank, *SCENES))


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """`record(1_000, "forged webhooks")`: how much a test looked at, for the table of the promises."""
    return Record(request.node.user_properties)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("--promises"):
        reports = [
            one for name in ("passed", "failed", "skipped", "error") for one in terminalreporter.getreports(name)
        ]
        terminalreporter.section("promises")
        for line in table(rows(reports)):
            terminalreporter.write_line(line)
