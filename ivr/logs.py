"""Logs: JSON lines on standard output, nothing about a call, and of everything else only what is allowed by name."""

import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import orjson
import structlog

ALLOWED = {
    "event": "what happened, in words that are ours: `turn failed`",
    "level": "how bad it is",
    "timestamp": "when it was written; beside `turn failed`, `text failed` and `the phone company refuses"
    " requests` it tells that somebody called or wrote at that moment",
    "error": "the kind of error; never its message, which might quote a caller",
    "where": "the line of our code at which it happened",
    "checks": "which checks of `the line is not ready` fail: of database, keys and room, none of any call",
    "request": "of `the phone company refuses requests`: whether it was to ring a phone, to end a call or to send a"
    " text; never whose",
    "status": "how it refused: the HTTP status, or that no connection or no answer came",
    "library": "which library complains",
    "chore": "which work that the line does by itself went wrong",
    "refused": "how many requests that carry a signature were refused within the last minute, for each reason:"
    " signature, not a form, shape, address unknown",
}
"""The fields that a line may have, each with its purpose: they stand in the data inventory. What is not here is dropped
before it is written."""


log = structlog.get_logger()


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
    logging.basicConfig(handlers=[_Libraries()], level=logging.WARNING, force=True)
    # It warns of every request that is no HTTP, or asks for a websocket: anybody could fill the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


class _Libraries(logging.Handler):
    """What libraries log, as one of our lines: never their message, which might quote a caller."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            log.warning("a library complains", library=record.name)
        else:
            log.error("a library failed", library=record.name, error=type(error).__name__, where=place_of(error))


def allow(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:  # structlog's types
    """Drop every field that is not allowed."""
    return {name: value for name, value in event.items() if name in ALLOWED}


def place_of(error: BaseException) -> str:
    """Where in our code something went wrong, `file.py:12`: the message of an error might quote a caller."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown"


def _json(event: dict[str, Any], **_options: Any) -> bytes:  # structlog passes a `default` we do not use
    return orjson.dumps(event)
