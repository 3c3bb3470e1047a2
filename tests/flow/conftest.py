"""`--update`: golden files are rewritten with what is printed now."""

import contextlib

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    with contextlib.suppress(ValueError):  # another folder's golden files may have it already
        parser.addoption("--update", action="store_true", default=False, help="rewrite golden files")
