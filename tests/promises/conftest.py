"""What several promises look at, made once: an initialised database to copy, and all that a line left behind after
every path and every fault."""

import asyncio
from pathlib import Path

import pytest

from tests.promises.evidence import Evidence, gathered
from tests.promises.house import BEGINNING, initialised
from tests.promises.paths import Cover, Walker, cover, everything
from tests.shipped import flow


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an initialised database without reports."""
    folder = tmp_path_factory.mktemp("blank")
    asyncio.run(initialised(folder))
    return folder


@pytest.fixture(scope="session")
def walker() -> Walker:
    """The shipped flow, to be walked; it remembers which ways it knows."""
    return Walker(flow(), BEGINNING)


@pytest.fixture(scope="session")
def paths(walker: Walker) -> Cover:
    return cover(walker, everything(flow()))


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory, blank: Path, paths: Cover) -> Evidence:
    """All that a line kept and sent after every path of the flow and every fault."""
    return asyncio.run(gathered(tmp_path_factory.mktemp("evidence"), blank, paths.calls))
