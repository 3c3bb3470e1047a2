"""Logs: JSON, and only what is allowed by name."""

import ast
import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from ivr import logs

SOURCES = Path(logs.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}


def fields_written(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level)) if level in LEVELS:
                yield from (keyword.arg or "**" for keyword in node.keywords)


def test_a_line_has_only_fields_that_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", written)
    logs.set_up()
    try:
        structlog.get_logger().error(
            "turn failed", error="KeyError", where="turns.py:12", caller="+12125550100", digits="1"
        )
    finally:
        structlog.reset_defaults()
    line = json.loads(written.buffer.getvalue())
    assert set(line) == {"event", "level", "timestamp", "error", "where"}


def test_what_a_library_logs_is_told_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", written)
    logs.set_up()
    try:
        complains = logging.getLogger("sqlalchemy.pool")
        complains.info("not even that it begins")
        complains.warning("Invalid request of +12125550100")
        try:
            raise ValueError("+12125550100")
        except ValueError:
            complains.exception("Exception in a call of %s", "+12125550100")
    finally:
        structlog.reset_defaults()
        logging.basicConfig(handlers=[], force=True)
    warned, failed = (json.loads(line) for line in written.buffer.getvalue().splitlines())
    assert (warned["library"], set(warned)) == ("sqlalchemy.pool", {"event", "level", "timestamp", "library"})
    assert (failed["error"], failed["where"].partition(":")[0]) == ("ValueError", "test_logs.py")
    assert b"2125550100" not in written.buffer.getvalue()


def test_every_field_says_what_it_is_for() -> None:
    assert all(why.strip() for why in logs.ALLOWED.values())


def test_what_the_code_writes_is_what_is_allowed_and_nothing_is_allowed_for_nobody() -> None:
    written = {field for path in SOURCES.rglob("*.py") for field in fields_written(path.read_text("utf-8"))}
    assert written | {"event", "level", "timestamp"} == logs.ALLOWED.keys()


def test_mutant_a_field_that_is_not_allowed_would_show() -> None:
    assert set(fields_written('log.error("turn failed", caller=number)')) == {"caller"}
