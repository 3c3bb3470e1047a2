"""A line that says what a test wrote down: documents by path, behind a signature check. Stands where our own would."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ivr.carrier.fields import parse_form
from ivr.carrier.loopback import Line, PhoneCall
from ivr.carrier.signature import Verifier
from ivr.carrier.transport import AsgiTransport, Message
from ivr.kit.clock import VirtualClock

HOST = "https://line.example.org"
TOKEN = "Y2Q2ZDgxZmY5YWRiOTI5YmQ1Njg0MTAxZWIyOTc4"
BEGINNING = datetime(2026, 3, 6, 22, 15, tzinfo=UTC)

Said = str | int | Exception | Callable[[dict[str, str]], str]
"""What a path answers: elements, a status, a failure, or elements that depend on the fields."""

Pages = Mapping[str, Said | list[Said]]
"""By path, query included. Several answers come in turn, the last for ever."""


@dataclass
class Script:
    """An ASGI application that keeps what it was asked."""

    pages: Pages
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:  # Any: ASGI's callables
        body = (await receive())["body"]
        fields = parse_form(body)
        assert fields, "a webhook has well-formed fields"
        genuine = Verifier([TOKEN], HOST).accepts(
            scope["method"],
            path=scope["raw_path"],
            query=scope["query_string"],
            headers=scope["headers"],
            fields=fields.items(),
        )
        assert genuine, "a webhook is signed"
        path = scope["raw_path"].decode() + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        self.asked.append((path, dict(fields)))
        status, document = self._answer(path, dict(fields))
        headers = [(b"content-type", b"application/xml")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": document})

    def _answer(self, path: str, fields: dict[str, str]) -> tuple[int, bytes]:
        said = self.pages.get(path, 404)
        if isinstance(said, list):
            said = said.pop(0) if len(said) > 1 else said[0]
        if isinstance(said, Exception):
            raise said
        if isinstance(said, int):
            return said, b""
        return 200, f"<Response>{said if isinstance(said, str) else said(fields)}</Response>".encode()

    def last(self, path: str) -> dict[str, str]:
        return next(fields for asked, fields in reversed(self.asked) if asked == path)

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)


def line(script: Script, **changes: Any) -> Line:  # Any: whatever Line takes
    settings: dict[str, Any] = {
        "answer_url": f"{HOST}/answer",
        "hangup_url": f"{HOST}/hangup",
        "token": TOKEN,
        "transport": AsgiTransport(script),
        "clock": VirtualClock(BEGINNING),
        "speech": lambda text, _: len(text) / 10,
    }
    return Line(**(settings | changes))


def rosa_calls(pages: Pages, **changes: Any) -> tuple[PhoneCall, Script, Line]:
    """Rosa, a caller, up to the first wait; hang-ups are answered unless the pages say otherwise."""
    script = Script({"/hangup": "", **pages})
    phone_line = line(script, **changes)
    return asyncio.run(phone_line.call()), script, phone_line


def passed(phone_line: Line) -> float:
    """Seconds of virtual time since the beginning."""
    return (phone_line.clock.now() - BEGINNING).total_seconds()
