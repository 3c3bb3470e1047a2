"""How a webhook reaches an application: in this process over ASGI, or over HTTP. Never knows what it carries."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import unquote, urlsplit

import httpx2

Message = MutableMapping[str, Any]  # ASGI's own type: a message is a dictionary whose values depend on its type
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content_type: str
    body: bytes


class Unreachable(Exception):
    """No answer came. `when` is the retry policy that covers it: `ct` while connecting, `rt` afterwards."""

    def __init__(self, when: Literal["ct", "rt"]) -> None:
        super().__init__(f"unreachable ({when})")
        self.when = when


class Transport(Protocol):
    """What carries a POST. Raises Unreachable."""

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply: ...


class AsgiTransport:
    """Calls an ASGI application directly, without a network: host and scheme of the URL are only told to it.

    What the application raises comes through; an application that returns without an answer is Unreachable.
    """

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        requests: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Message] = []

        async def receive() -> Message:
            return requests.pop() if requests else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(_scope(url, headers, len(body)), receive, send)
        return _reply(sent)


def _scope(url: str, headers: Mapping[str, str], length: int) -> Message:
    """ASGI 3 (spec version 2.4) HTTP scope: `raw_path` without the query, header names in lower case."""
    parts = urlsplit(url)
    told = {"host": parts.netloc, "content-length": str(length), **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": parts.scheme,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode("ascii"),
        "query_string": parts.query.encode("ascii"),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.items()],
        "client": ("127.0.0.1", 50000),
        "server": (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)),
        "state": {},
    }


def _reply(sent: list[Message]) -> Reply:
    starts = [message for message in sent if message["type"] == "http.response.start"]
    if not starts:
        raise Unreachable("rt")
    headers = {bytes(name).lower(): bytes(value) for name, value in starts[0].get("headers", ())}
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return Reply(starts[0]["status"], headers.get(b"content-type", b"").decode("latin-1"), body)


class HttpTransport:
    """Sends over HTTP. `client` is opened and closed by whoever made it; its time-outs are the only real ones."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            reply = await self._client.post(url, headers=dict(headers), content=body, follow_redirects=False)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise Unreachable("ct") from None
        except httpx2.TransportError:
            raise Unreachable("rt") from None
        return Reply(reply.status_code, reply.headers.get("content-type", ""), reply.content)
