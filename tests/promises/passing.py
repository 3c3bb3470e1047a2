"""Calls that pass every route of the door: a report saved and sent off, a silence, a person by Dial, a warm transfer,
the line of those who answer, a hang-up."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from starlette.routing import Route

from ivr.carrier.documents import Conference, Document, Element, GetDigits, GetInput, Redirect, read
from ivr.carrier.fields import encode_form
from ivr.carrier.leg import leg_uuid
from ivr.carrier.loopback import PhoneCall
from ivr.carrier.rest import Order, Outcome, Placed, Refused, Sending
from ivr.carrier.states import DialOutcome, Ringing
from ivr.carrier.transport import AsgiTransport
from ivr.services.world import LiveWorld
from tests.promises.house import PUBLIC_URL, House
from tests.promises.requests import Interposed, Request, request_of, send

WEBHOOKS = {
    "/voice/answer",
    "/voice/again/{token}",
    "/voice/keys/{token}",
    "/voice/silence/{token}",
    "/voice/dialled/{token}",
    "/voice/undialled/{token}",
    "/voice/talked/{token}",
    "/voice/hangup",
    "/voice/entered/{token}",
    "/voice/alone/{token}",
    "/voice/confirm",
    "/staff/offered/{token}",
    "/staff/over/{token}",
    "/staff/line",
    "/staff/entered/{token}",
    "/staff/keys/{token}",
    "/staff/silence/{token}",
    "/staff/talked/{token}",
    "/staff/trial",
    "/staff/tried/{token}",
}
FOR_EVERYBODY = {"/voice/audio/{language}/{name}", "/healthz", "/readyz"}
PROBED_AGAIN = timedelta(minutes=1)
"""Then a phone company that refused is asked once more."""

SETTLES = 20

Look = Callable[[Request], Awaitable[None]]
Visit = Callable[[House, Request], Awaitable[None]]


@dataclass(slots=True)
class Fickle:
    """A phone company's REST interface that works when it is told to. `asked`: everything, in order."""

    works: bool = False
    placed: list[Order] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def place(self, order: Order) -> Outcome:
        self.asked.append(repr(order))
        if not self.works:
            return Refused()
        self.placed.append(order)
        return Placed(leg_uuid(f"placed {len(self.placed)}"))

    async def cancel(self, request_uuid: str) -> bool:
        self.asked.append(f"cancel {request_uuid}")
        return True

    async def hang_up(self, call_uuid: str) -> bool:
        self.asked.append(f"hang up {call_uuid}")
        return True

    async def empty(self, room: str) -> bool:
        self.asked.append(f"empty {room}")
        return True

    async def text(self, to: str, words: str) -> Sending:
        self.asked.append(f"text {to} {words}")
        return Sending.SENT if self.works else Sending.REFUSED

    async def aclose(self) -> None:
        pass


def route_of(of: House, path: bytes) -> str:
    """Which of the door's routes an address belongs to."""
    known = [route for route in of.router.routes if isinstance(route, Route)]
    return next(route.path for route in known if route.path_regex.match(path.decode()))


class WentAstray(AssertionError):
    """A document does not lead where it must."""


async def _dial_ends(caller: PhoneCall, outcome: DialOutcome) -> None:
    """Raises WentAstray where no phone rings."""
    if not isinstance(caller.state, Ringing):
        raise WentAstray(f"no phone is ringing: {caller.state}")
    await caller.dial_ends(outcome)


async def walk(of: House, visit: Visit, passed: set[str] | None = None) -> set[str]:
    """Calls past every route. Each webhook is shown to `visit` before it is delivered. The routes they went by, also
    noted in `passed`. The house's REST interface is a Fickle one."""
    passed = set() if passed is None else passed

    async def look(request: Request) -> None:
        passed.add(route_of(of, request.path))
        await visit(of, request)

    phones = of.parts.rest
    assert isinstance(phones, Fickle), "made with house(..., rest=Fickle())"
    phones.works = False
    rosa = await of.line(transport=Interposed(AsgiTransport(of.app), look)).call()
    for keys in ("1", "1", "1", "4", "#", "1", "1"):
        await rosa.press(keys)
    await rosa.silence()
    await rosa.press("0")
    await rosa.press("5")
    await _dial_ends(rosa, "completed")
    await rosa.press("0")
    await rosa.silence()
    await _dial_ends(rosa, "no-answer")
    dialled = next(exchange.url for exchange in reversed(rosa.exchange) if "/voice/dialled/" in exchange.url)
    token = dialled.rpartition("/")[2].partition("#")[0]
    seldom = rosa.exchange[1]
    hers = Leg(of, look, dict(seldom.headers), dict(seldom.fields))
    for address in (f"voice/undialled/{token}", "voice/again/start", "staff/trial", f"staff/tried/{token}"):
        await hers.post(f"{PUBLIC_URL}/{address}")
    await rosa.hang_up()
    phones.works = True
    of.clock.advance(PROBED_AGAIN)
    await _warm(of, look, hers)
    return passed


@dataclass(slots=True)
class Leg:
    """One end of a call, moved by hand: what the carrier would post is posted, signed, and the document is read."""

    of: House
    look: Look
    headers: dict[str, str]
    fields: dict[str, str]
    document: Document = ()

    def another(self, name: str, **fields: str) -> "Leg":
        uuid = leg_uuid(name)
        begun = f"{self.of.clock.now():%Y-%m-%d %H:%M:%S.%f}"
        told = {"CallUUID": uuid, "CallStatus": "in-progress", "Event": "StartApp", "SessionStart": begun}
        return Leg(self.of, self.look, self.headers, {**self.fields, "Digits": "", **told, **fields})

    async def post(self, url: str, **fields: str) -> Document:
        told = {**self.fields, **fields}
        body = encode_form(told.items())
        request = request_of(url.partition("#")[0], self.headers, body).signed()
        await self.look(request)
        got = await send(self.of.app, request)
        self.document = read(got.body, "application/xml") if got.status == HTTPStatus.OK else ()
        for _ in range(SETTLES):
            await asyncio.sleep(0)  # what the line has to tell the phone company is told
        if isinstance(self.of.mood.live, LiveWorld):
            await self.of.mood.live.transfers.close()  # and what it answered is written
        return self.document

    def _first(self, *kinds: type[Element]) -> Any:  # Any: one of these kinds
        for one in self.document:
            if isinstance(one, kinds):
                return one
        raise WentAstray(f"no {kinds} in {self.document}")

    async def press(self, key: str) -> Document:
        wait = self._first(GetInput, GetDigits)
        return await self.post(wait.action or "", Digits=key, Event="Redirect")

    async def silence(self) -> Document:
        further = self._first(Redirect)
        return await self.post(further.url, Event="Redirect")

    async def leaves_room(self) -> Document:
        room = self._first(Conference)
        await self.post(room.wait_sound or "", Event="Redirect")
        self.document = (room,)
        await self.post(room.callback_url or "", Event="ConferenceEnter", ConferenceAction="enter")
        await self.post(room.callback_url or "", Event="ConferenceExit", ConferenceAction="exit")
        return await self.post(room.action or "", Event="Redirect")


async def _warm(of: House, look: Look, hers: Leg) -> None:
    """A warm transfer from the key 0 to both having hung up; then somebody calls about her shifts."""
    phones = of.parts.rest
    assert isinstance(phones, Fickle)
    luz = hers.another("luz")
    await luz.post(f"{PUBLIC_URL}/voice/answer")
    await luz.press("1")
    await luz.press("0")
    if not phones.placed:
        raise WentAstray("nobody is rung")
    order = phones.placed[-1]
    ana = hers.another("ana", To=order.to.lstrip("+"), Direction="outbound")
    await ana.post(order.answer_url)
    await ana.press("3")
    await ana.press("1")
    await luz.silence()
    await ana.silence()
    await ana.leaves_room()
    await ana.press("1")
    await ana.post(order.hangup_url, Event="Hangup", CallStatus="completed")
    await luz.leaves_room()
    await luz.post(f"{PUBLIC_URL}/voice/hangup", Event="Hangup", CallStatus="completed")
    bo = hers.another("bo")
    await bo.post(f"{PUBLIC_URL}/voice/answer")
    await bo.press("8")
    await bo.silence()
    await bo.press("12345678#")
    await bo.silence()
