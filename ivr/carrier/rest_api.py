"""The exchange's REST interface, as Plivo documents its own: ring a phone, let it be, end a call, kick a member, send a
text. Over ASGI or within a process; with whatever can go wrong there. Never moves time."""

import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Literal, Protocol

import httpx2

from ivr.carrier import messages
from ivr.carrier.behaviours import imitates
from ivr.carrier.exchange_behaviours import CREDENTIALS, NUMBER_REFUSED, REQUESTED
from ivr.carrier.leg import leg_uuid
from ivr.carrier.messages import Message
from ivr.carrier.phones import plain
from ivr.carrier.text_behaviours import TEXT_REQUESTED
from ivr.carrier.transport import Message as AsgiMessage

_KNOWN = frozenset(
    {"from", "to", "answer_url", "answer_method", "hangup_url", "hangup_method", "ring_timeout", "time_limit"}
    | {"caller_name"}
)
_NEEDED = ("from", "to", "answer_url")
_NUMBER = re.compile(r"\+?[1-9][0-9]{6,14}")
_PATH = re.compile(r"/v1/Account/([^/]+)/(Call|Request|Conference|Message)/(?:(.*)/)?")
_MEMBER = re.compile(r"(?P<name>[^/]+)/Member/(?P<member>[^/]+)(?P<kick>/Kick)?")
RING_SECONDS, TALK_SECONDS = 120, 14_400
"""Plivo's, where a request says nothing: ring_timeout, time_limit."""


class NotImitated(Exception):
    """A request that Plivo might take and nothing here imitates, or that it does not know. The test has failed."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A phone that is to ring, and what it shows."""

    to: str
    shown_number: str
    shown_name: str
    answer_url: str
    hangup_url: str | None
    ring_seconds: int
    talk_seconds: int


Only = Literal["POST", "DELETE", "Call", "Message"] | None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with it. `is_done`: what was asked for happens all the same; `only`: of this method, or of
    this kind of request."""

    kind: Literal["hangs", "unreachable", "garbage", "status"]
    status: int = 200
    is_done: bool = False
    only: Only = None


def hangs(*, is_done: bool = False, only: Only = None) -> Fault:
    """No answer ever comes. In a process the client's patience is over at once, without any time passing."""
    return Fault("hangs", is_done=is_done, only=only)


def refuses(status: int, *, is_done: bool = False, only: Only = None) -> Fault:
    """429, 401, 500, 503, 404, ..."""
    return Fault("status", status, is_done, only)


def unreachable(*, only: Only = None) -> Fault:
    """No connection; within a process only: over HTTP, stop the server."""
    return Fault("unreachable", only=only)


def garbage(*, is_done: bool = True) -> Fault:
    """An answer of 200 that is no JSON."""
    return Fault("garbage", is_done=is_done, only="POST")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: what was asked for, and the status of its answer; None where none came."""

    method: str
    path: str
    json: Mapping[str, Any] | None  # Any: JSON
    status: int | None


class Silent(Exception):
    """No answer comes. `when`: while connecting, or after it was asked."""

    def __init__(self, when: Literal["connecting", "reading"]) -> None:
        super().__init__(when)
        self.when = when


class HasNumber(Protocol):
    """The account's phone number."""

    @property
    def number(self) -> str: ...


class Switch(Protocol):
    """What carries out a request."""

    @property
    def line(self) -> "HasNumber": ...
    def place(self, ordered: Ordered) -> str: ...
    def send(self, message: Message) -> str: ...
    def cancel(self, uuid: str) -> bool: ...
    def hang_up(self, uuid: str) -> bool: ...
    def hang_up_all(self) -> None: ...
    def kick(self, name: str, member_id: str) -> bool: ...
    def hang_up_member(self, name: str, member_id: str) -> bool: ...
    def number_of(self, uuid: str) -> str | None: ...
    def fail(self, failure: Exception) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class RestApi:
    """One account's. Faults can be switched on and off at any time, for all or for one number."""

    def __init__(self, switch: Switch, *, account: str, token: str) -> None:
        self._switch = switch
        self._account = account
        self._credentials = "Basic " + b64encode(f"{account}:{token}".encode()).decode("ascii")
        self._faults: dict[str | None, Fault] = {}
        self.requests: list[Asked] = []

    def fails(self, fault: Fault, *, number: str | None = None) -> None:
        """From now on; for one number: what is about its phone."""
        self._faults[None if number is None else plain(number)] = fault

    def recovers(self, *, number: str | None = None) -> None:
        self._faults.pop(None if number is None else plain(number), None)

    def answer(self, method: str, path: str, *, authorization: str, body: bytes) -> Answer:
        """Raises Silent where no answer comes."""
        told = _parsed(body)
        status: int | None = None
        try:
            answer = self._with_faults(method, path, authorization, told)
            status = answer.status
        except NotImitated as failure:
            self._switch.fail(failure)
            answer = self._said(400, error=str(failure))
            status = 400
        finally:
            self.requests.append(Asked(method, path, told, status))
        return answer

    async def __call__(
        self,
        scope: AsgiMessage,
        receive: Callable[[], Awaitable[AsgiMessage]],
        send: Callable[[AsgiMessage], Awaitable[None]],
    ) -> None:
        """ASGI, without a lifespan."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in scope["headers"]}
        try:
            answer = self.answer(
                scope["method"], scope["path"], authorization=headers.get(b"authorization", ""), body=body
            )
        except Silent as silent:
            if silent.when == "connecting":
                raise ConnectionError("a connection that stands cannot be refused: stop the server") from None
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": answer.status, "headers": kind})
        await send({"type": "http.response.body", "body": answer.body})

    def _with_faults(self, method: str, path: str, authorization: str, told: Mapping[str, Any] | None) -> Answer:
        fault = self._fault(method, path, told)
        if fault is None:
            return self._done(method, path, authorization, told)
        if fault.kind == "unreachable":
            raise Silent("connecting")
        if fault.is_done:
            self._done(method, path, authorization, told)
        if fault.kind == "hangs":
            raise Silent("reading")
        if fault.kind == "garbage":
            return Answer(200, b"<html><body>All is well</body></html>")
        return self._said(fault.status, error="out of order")

    def _fault(self, method: str, path: str, told: Mapping[str, Any] | None) -> Fault | None:
        uuid = path.rstrip("/").rpartition("/")[2]
        number = str(told.get("to") or told.get("dst") or "") if told else self._switch.number_of(uuid) or ""
        fault = self._faults.get(plain(number), self._faults.get(None))
        found = _PATH.fullmatch(path)
        return fault if fault is not None and fault.only in (None, method, found and found[2]) else None

    @imitates(CREDENTIALS)
    def _done(self, method: str, path: str, authorization: str, told: Mapping[str, Any] | None) -> Answer:
        found = _PATH.fullmatch(path)
        if found is None:
            return self._said(404, error="not found")
        account, what, rest = found.groups()
        if account != self._account or not compare_digest(authorization.encode(), self._credentials.encode()):
            return Answer(401, b"Could not verify your access level for that URL.")
        match method, what:
            case "POST", "Call" if rest is None:
                return self._place(told)
            case "POST", "Message" if rest is None:
                return self._text(told)
            case "DELETE", "Call":
                return self._hang_up(rest)
            case "DELETE", "Request":
                return self._ended(rest is not None and self._switch.cancel(rest))
            case (("POST" | "DELETE"), "Conference"):
                return self._member(method, rest or "")
        return self._said(405, error="method not allowed")

    @imitates(REQUESTED, NUMBER_REFUSED)
    def _place(self, told: Mapping[str, Any] | None) -> Answer:
        if told is None:
            return self._said(400, error="the body is not a JSON object")
        missing = [name for name in _NEEDED if not told.get(name)]
        if missing:
            return self._said(400, error=f"{missing[0]} is missing")
        strange = sorted(set(told) - _KNOWN)
        if strange:
            raise NotImitated(f"Call/ with {', '.join(strange)}")
        if "<" in str(told["to"]):
            raise NotImitated("Call/ to several numbers")
        if "GET" in (told.get("answer_method"), told.get("hangup_method")):
            raise NotImitated("Call/ with webhooks that are not signed POSTs")
        numbers = str(told["to"]), str(told["from"])
        if not all(map(_NUMBER.fullmatch, numbers)):
            return self._said(400, error="to or from is not a valid phone number")
        uuid = self._switch.place(_ordered(told))
        return self._said(201, message="call fired", request_uuid=uuid)

    @imitates(TEXT_REQUESTED)
    def _text(self, told: Mapping[str, Any] | None) -> Answer:
        if told is None:
            return self._said(400, error="the body is not a JSON object")
        strange = sorted(set(told) - messages.KNOWN)
        if strange:
            raise NotImitated(f"Message/ with {', '.join(strange)}")
        if "<" in str(told.get("dst")):
            raise NotImitated("Message/ to several numbers")
        try:
            message = messages.message(told, self._switch.line.number)
        except messages.NotATextOfOurs as wrong:
            return self._said(400, error=str(wrong))
        return self._said(202, message="message(s) queued", message_uuid=[self._switch.send(message)])

    def _hang_up(self, uuid: str | None) -> Answer:
        if not uuid:
            self._switch.hang_up_all()
            return Answer(204, b"")
        return self._ended(self._switch.hang_up(uuid))

    def _member(self, method: str, rest: str) -> Answer:
        found = _MEMBER.fullmatch(rest)
        if found is None:
            raise NotImitated(f"{method} Conference/{rest}/")
        name, member, kick = found.groups()
        if method == "POST" and kick:
            if self._switch.kick(name, member):
                return self._said(202, message="kicked", member_id=member)
            return self._said(404, error="not found")
        if method == "DELETE" and not kick:
            return self._ended(self._switch.hang_up_member(name, member))
        raise NotImitated(f"{method} Conference/{rest}/")

    def _ended(self, is_ended: bool) -> Answer:  # noqa: FBT001 -- it is what the switch said
        return Answer(204, b"") if is_ended else self._said(404, error="not found")

    def _said(self, status: int, **words: str | list[str]) -> Answer:
        named = {"api_id": leg_uuid(f"api {len(self.requests)}"), **words}
        return Answer(status, json.dumps(named).encode())


class RestTransport(httpx2.AsyncBaseTransport):
    """A client's way to the interface of this process."""

    def __init__(self, rest: RestApi) -> None:
        self._rest = rest

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        try:
            answer = self._rest.answer(
                request.method,
                request.url.path,
                authorization=request.headers.get("authorization", ""),
                body=body,
            )
        except Silent as silent:
            if silent.when == "connecting":
                raise httpx2.ConnectError("connection refused", request=request) from None
            raise httpx2.ReadTimeout("no answer came", request=request) from None
        return httpx2.Response(answer.status, content=answer.body, headers={"content-type": "application/json"})


def _parsed(body: bytes) -> Mapping[str, Any] | None:
    try:
        told = json.loads(body) if body else None
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _ordered(told: Mapping[str, Any]) -> Ordered:
    hangup_url = told.get("hangup_url")
    return Ordered(
        to=str(told["to"]),
        shown_number=str(told["from"]),
        shown_name=str(told.get("caller_name") or told["from"]),
        answer_url=str(told["answer_url"]),
        hangup_url=str(hangup_url) if hangup_url else None,
        ring_seconds=int(told.get("ring_timeout", RING_SECONDS)),
        talk_seconds=int(told.get("time_limit", TALK_SECONDS)),
    )
