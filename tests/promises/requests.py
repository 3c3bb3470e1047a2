"""A request as bytes, so that it can be bent in ways that no client would send; and a way into a call's traffic."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from ivr.carrier.fields import Fields, encode_form, parse_form
from ivr.carrier.signature import MAIN_SIGNATURE, NONCE, SIGNATURE, sign
from ivr.carrier.transport import AsgiApp, Message, Reply, Transport
from tests.promises.house import AUTH_TOKEN, PUBLIC_URL

Headers = tuple[tuple[bytes, bytes], ...]
FORM = b"application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    """`path` and `query` as they stand on the wire; `chunks` is the body as it arrives."""

    path: bytes
    headers: Headers
    chunks: tuple[bytes, ...]
    method: str = "POST"
    query: bytes = b""
    gone: bool = False
    """The sender goes away before the last chunk."""

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def fields(self) -> Fields:
        return tuple((parse_form(self.body) or {}).items())

    def with_body(self, body: bytes) -> "Request":
        return replace(self, chunks=(body,))

    def with_fields(self, *fields: tuple[str, str]) -> "Request":
        return self.with_body(encode_form(fields))

    def with_header(self, name: str, value: bytes | None) -> "Request":
        """One header anew; None leaves it out."""
        kept = tuple(header for header in self.headers if header[0] != name.lower().encode())
        return replace(self, headers=kept if value is None else (*kept, (name.lower().encode(), value)))

    def header(self, name: str) -> bytes:
        return dict(self.headers).get(name.lower().encode(), b"")

    def signed(self, token: str = AUTH_TOKEN, *, url: str | None = None, nonce: str | None = None) -> "Request":
        """The same, signed anew as the carrier would."""
        nonce = self.header(NONCE).decode() if nonce is None else nonce
        to = PUBLIC_URL + self.path.decode() if url is None else url
        signature = sign(token, url=to, nonce=nonce, fields=self.fields).encode()
        again = self.with_header(SIGNATURE, signature).with_header(MAIN_SIGNATURE, signature)
        return again.with_header(NONCE, nonce.encode())


@dataclass(frozen=True, slots=True)
class Got:
    """What came back: whole, so that two refusals can be compared byte for byte."""

    status: int
    headers: Headers
    body: bytes


async def send(app: AsgiApp, request: Request) -> Got:
    """Straight into the application. What it raises comes through."""
    parts = list(request.chunks)
    sent: list[Message] = []

    async def receive() -> Message:
        if not parts or (request.gone and len(parts) == 1):
            return {"type": "http.disconnect"}
        body = parts.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(parts)}

    async def answer(message: Message) -> None:
        sent.append(message)

    await app(_scope(request), receive, answer)
    start = next(message for message in sent if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return Got(start["status"], tuple(start["headers"]), body)


def _scope(request: Request) -> Message:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": unquote(request.path.decode("latin-1")),
        "raw_path": request.path,
        "query_string": request.query,
        "root_path": "",
        "headers": list(request.headers),
        "client": ("127.0.0.1", 50000),
        "server": ("line.example.org", 443),
        "state": {},
    }


@dataclass(frozen=True, slots=True)
class Interposed:
    """A transport that shows each request to `visit` before it goes its way."""

    inner: Transport
    visit: Callable[[Request], Awaitable[None]]

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        await self.visit(request_of(url, headers, body))
        return await self.inner.post(url, headers=headers, body=body)


def request_of(url: str, headers: Mapping[str, str], body: bytes) -> Request:
    """What a carrier sends, as this machine would receive it."""
    told = {"host": urlsplit(url).netloc, "content-length": str(len(body)), **headers}
    raw = tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in told.items())
    return Request(urlsplit(url).path.encode("ascii"), raw, (body,))


@dataclass(slots=True)
class Planted:
    """A transport that writes other values into every webhook of a call, and signs it anew as the carrier would.

    `fields` replace those of the same name and add the rest; `seen` is everything that was answered."""

    inner: Transport
    fields: Mapping[str, str]
    seen: list[Reply] = field(default_factory=list)

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        values = {**(parse_form(body) or {}), **self.fields}
        pairs = tuple(values.items())
        signature = sign(AUTH_TOKEN, url=url, nonce=headers[NONCE], fields=pairs)
        told = {**headers, SIGNATURE: signature, MAIN_SIGNATURE: signature}
        reply = await self.inner.post(url, headers=told, body=encode_form(pairs))
        self.seen.append(reply)
        return reply
