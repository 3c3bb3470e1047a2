"""A line with a rota, made once and copied for each story."""

import asyncio
from pathlib import Path

import pytest

from tests.transfers.town import peopled


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an initialised line with its rota, and nobody of those who can be on duty switched off."""
    folder = tmp_path_factory.mktemp("peopled")
    asyncio.run(peopled(folder))
    return folder
