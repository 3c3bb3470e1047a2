"""Logs: JSON lines on standard output, nothing about a call, and of everything else only what is allowed by name."""

import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

ALLOWED = frozenset({"event", "level", "timestamp", "error", "where", "version", "url", "flow", "epoch"})
"""The fields a line may have. Each stands in the data inventory; what is not here is dropped before it is written."""


def set_up() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            allow,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        logger_factory=structlog.BytesLoggerFactory(file=sys.stdout.buffer),
        cache_logger_on_first_use=False,
    )


def allow(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:  # structlog's types
    """Drop every field that is not allowed."""
    return {name: value for name, value in event.items() if name in ALLOWED}


def _json(event: dict[str, Any], **_options: Any) -> bytes:  # structlog passes a `default` we do not use
    return orjson.dumps(event)
