"""Logs: JSON, and only what is allowed by name."""

import io
import json
import sys

import pytest
import structlog

from ivr import logs


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
