"""What is asked of the phone company between webhooks: ring a phone, let it be, end a call, send a text. Plivo's REST
interface.

Nothing that may have reached it is asked twice. Plivo knows no idempotency: a request that was sent again may ring a
phone twice, so one whose answer did not come counts as done. Knows nothing of who is rung or written to, or why."""

import asyncio
import re
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Protocol

import httpx2

from ivr.carrier.refusals import NO_ANSWER, NO_CONNECTION, Kind, Refusals
from ivr.kit.time_limits import TimeLimits

MOST_CHARACTERS = 1600
"""Of one text. https://www.plivo.com/docs/messaging/api/message/send-a-message: fewer where one is not of GSM-7."""

_CONNECTS_WITHIN = 1.0
_UUID = re.compile(r"[0-9A-Fa-f-]{8,64}")
_ROOM = re.compile(r"[0-9a-f]{8,64}")
_E164 = re.compile(r"\+[0-9]{7,15}")
_REPLYABLE = re.compile(r"\+[1-9][0-9]{6,14}")
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
_ABOUT_NUMBER = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
_NEVER_STOOD = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Order:
    """Ring one phone. URLs are absolute; `talk_seconds` ends the call whatever happens."""

    to: str
    answer_url: str
    hangup_url: str
    ring_seconds: int
    talk_seconds: int


@dataclass(frozen=True, slots=True)
class Placed:
    """The phone will ring; until it is answered, `request_uuid` cancels it."""

    request_uuid: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No phone rings. `is_about_number`: this one cannot be called; else nobody can be called now."""

    is_about_number: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """No answer came: the phone may ring."""


Outcome = Placed | Refused | Unclear


class Sending(Enum):
    """What became of a text that was to be sent."""

    SENT = "sent"
    """The phone company has it. Whether it arrives nobody asks: that would be a record of who was written to."""
    REFUSED = "refused"
    """It was not sent; it may be tried again."""
    UNCLEAR = "unclear"
    """No answer came: it may have been sent."""


class Calls(Protocol):
    """Rings phones. Never raises, but for what nobody may ask of it."""

    async def place(self, order: Order) -> Outcome: ...

    async def cancel(self, request_uuid: str) -> bool:
        """Let a phone that rings be. False where nobody confirmed it."""
        ...

    async def hang_up(self, call_uuid: str) -> bool:
        """End a call that was answered. False where nobody confirmed it."""
        ...

    async def empty(self, room: str) -> bool:
        """Whoever is left alone in a conference goes on from there. False where nobody confirmed it."""
        ...

    async def aclose(self) -> None: ...


class Rest(Calls, Protocol):
    """The same, and sends texts."""

    async def text(self, to: str, words: str) -> Sending:
        """Send these words from the hotline's number to one phone, and keep them out of the carrier's logs. Raises
        ValueError for what is not one number in E.164, for no words, and for more than MOST_CHARACTERS."""
        ...


class PlivoRest:
    """Plivo's, for one account. `number` and `name` are what phones show: Plivo's defaults are the caller's own."""

    def __init__(
        self,
        *,
        api_url: str,
        auth_id: str,
        token: str,
        number: str,
        name: str,
        transport: httpx2.AsyncBaseTransport | None = None,
        limits: TimeLimits = TimeLimits(),  # noqa: B008 it is frozen
        refusals: Refusals | None = None,
    ) -> None:
        """`transport`: another way than the network, to an exchange in this process. `refusals` is told what becomes of
        requests, where a log is kept."""
        self._client = httpx2.AsyncClient(
            base_url=f"{api_url}/v1/Account/{auth_id}",
            auth=(auth_id, token),
            timeout=limits.rest,
            transport=transport,
            trust_env=False,  # no proxy of somebody else's, and no password of a .netrc
        )
        self._number = number
        self._name = name
        self._limits = limits
        self._refusals = refusals

    async def place(self, order: Order) -> Outcome:
        """https://www.plivo.com/docs/voice/api/call/make-a-call. Raises ValueError for what is not one number: with
        `<` between them Plivo would ring several."""
        if not _E164.fullmatch(order.to):
            raise ValueError("this is not a number in E.164")
        body = {
            "from": self._number,
            "to": order.to,
            "answer_url": order.answer_url,
            "answer_method": "POST",
            "hangup_url": order.hangup_url,
            "hangup_method": "POST",
            "ring_timeout": order.ring_seconds,
            "time_limit": order.talk_seconds,
            "caller_name": self._name,
        }
        try:
            async with asyncio.timeout(self._limits.rest):  # the client's own is for each of its steps
                reply = await self._client.post("/Call/", json=body)
        except _NEVER_STOOD as error:
            self._failed(Kind.RING, error)
            return Refused()
        except (TimeoutError, httpx2.HTTPError) as error:
            self._failed(Kind.RING, error)
            return Unclear()
        self._answered(Kind.RING, reply)
        return _outcome(reply)

    async def cancel(self, request_uuid: str) -> bool:
        return await self._delete("Request", request_uuid)

    async def hang_up(self, call_uuid: str) -> bool:
        return await self._delete("Call", call_uuid)

    async def empty(self, room: str) -> bool:
        """https://www.plivo.com/docs/voice/api/conference/kick-a-member: her call is not hung up by it."""
        if not _ROOM.fullmatch(room):
            raise ValueError("this is not the name of a conference")
        try:
            reply = await self._client.post(f"/Conference/{room}/Member/all/Kick/")
        except httpx2.HTTPError as error:
            self._failed(Kind.END, error)
            return False
        return self._is_ended(reply)

    async def text(self, to: str, words: str) -> Sending:
        """https://www.plivo.com/docs/messaging/api/message/send-a-message. A connection that never stood carried
        nothing: then, and only then, it is tried once more. Nothing that is raised tells number or words."""
        _check_text(to, words)
        body = {"src": self._number, "dst": to, "text": words, "log": "false"}
        try:
            async with asyncio.timeout(self._limits.rest_text):
                try:
                    reply = await self._send(body)
                except _NEVER_STOOD:
                    reply = await self._send(body)
        except _NEVER_STOOD as error:
            self._failed(Kind.TEXT, error)
            return Sending.REFUSED
        except (TimeoutError, httpx2.HTTPError) as error:
            self._failed(Kind.TEXT, error)
            return Sending.UNCLEAR
        self._answered(Kind.TEXT, reply)
        return _sending(reply)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _send(self, body: dict[str, str]) -> httpx2.Response:
        patience = httpx2.Timeout(self._limits.rest_text, connect=_CONNECTS_WITHIN, pool=_CONNECTS_WITHIN)
        return await self._client.post("/Message/", json=body, timeout=patience)

    async def _delete(self, what: str, uuid: str) -> bool:
        if not _UUID.fullmatch(uuid):
            # An empty one would hang up every call of the account.
            raise ValueError("this is not the id of a call")
        try:
            reply = await self._client.delete(f"/{what}/{uuid}/")
        except httpx2.HTTPError as error:
            self._failed(Kind.END, error)
            return False
        return self._is_ended(reply)

    def _is_ended(self, reply: httpx2.Response) -> bool:
        """Also where there was nothing to end any more."""
        is_ended = reply.is_success or reply.status_code == HTTPStatus.NOT_FOUND
        if not is_ended:
            self._answered(Kind.END, reply)
        elif self._refusals is not None:
            self._refusals.worked(Kind.END)
        return is_ended

    def _answered(self, kind: Kind, reply: httpx2.Response) -> None:
        """What is about one number only is neither a refusal nor a sign that others are taken."""
        if self._refusals is None or reply.status_code in _ABOUT_NUMBER:
            return
        if reply.is_success:
            self._refusals.worked(kind)
        else:
            self._refusals.refused(kind, str(reply.status_code))

    def _failed(self, kind: Kind, error: Exception) -> None:
        if self._refusals is not None:
            self._refusals.refused(kind, NO_CONNECTION if isinstance(error, _NEVER_STOOD) else NO_ANSWER)


class NoRest:
    """Where there is no phone company to ask: nobody can be rung by us, and it dials for us instead. No text leaves."""

    async def place(self, order: Order) -> Outcome:
        del order
        return Refused()

    async def cancel(self, request_uuid: str) -> bool:
        del request_uuid
        return False

    async def hang_up(self, call_uuid: str) -> bool:
        del call_uuid
        return False

    async def empty(self, room: str) -> bool:
        del room
        return False

    async def text(self, to: str, words: str) -> Sending:
        _check_text(to, words)
        return Sending.REFUSED

    async def aclose(self) -> None:
        pass


def _check_text(to: str, words: str) -> None:
    if not _REPLYABLE.fullmatch(to):
        # With `<` between them Plivo would write to several.
        raise ValueError("this is not a number that can be written to")
    if not 0 < len(words) <= MOST_CHARACTERS or _HALF_A_CHARACTER.search(words):
        raise ValueError(f"a text has one to {MOST_CHARACTERS} characters, each whole")


def _outcome(reply: httpx2.Response) -> Outcome:
    if reply.status_code in _ABOUT_NUMBER:
        return Refused(is_about_number=True)
    if not reply.is_success:
        return Refused()
    try:
        request_uuid = reply.json()["request_uuid"]
    except (ValueError, KeyError, TypeError):
        return Unclear()
    return Placed(request_uuid) if isinstance(request_uuid, str) and _UUID.fullmatch(request_uuid) else Unclear()


def _sending(reply: httpx2.Response) -> Sending:
    if not reply.is_success:
        return Sending.REFUSED
    try:
        return Sending.SENT if reply.json()["message_uuid"] else Sending.UNCLEAR
    except (ValueError, KeyError, TypeError):
        return Sending.UNCLEAR
