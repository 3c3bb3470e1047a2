"""Requests and answers as ASGI has them: a body that is not too large, an answer that nobody keeps."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ivr.line.edge import MAX_BODY

Scope = MutableMapping[str, Any]  # ASGI's own types
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

REFUSAL = b"Forbidden"
NOT_FOUND = b"Not found"
NOT_KEPT = (b"cache-control", b"no-store")
XML = (b"content-type", b"application/xml")
PLAIN = (b"content-type", b"text/plain")
JSON = (b"content-type", b"application/json")


async def body_of(receive: Receive) -> bytes | None:
    """The body of a request, or None when it is larger than any webhook or its sender went away."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part: bytes = message.get("body", b"")
        body = body + part if body else part
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return body


async def reply(send: Send, status: int, body: bytes, kind: tuple[bytes, bytes], *more: tuple[bytes, bytes]) -> None:
    headers = [kind, (b"content-length", b"%d" % len(body)), NOT_KEPT, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
