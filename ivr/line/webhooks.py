"""The caller's door: webhooks in, documents out. Pure ASGI. Whatever goes wrong behind the signature, the answer is 200
and a document that speaks; whoever has no signature gets one constant refusal."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import structlog
from starlette.routing import Route, Router

from ivr.channels.voice import apologies, decode_dial, decode_keys
from ivr.engine.inputs import FellSilent, Input, Returned
from ivr.line.edge import Edge, Webhook
from ivr.line.health import Health, Ready
from ivr.line.recordings import Recordings
from ivr.line.rejections import Reason, Rejections
from ivr.line.staff import EMPTY, StaffDoor
from ivr.line.text_door import TextDoor
from ivr.line.turning import Turning
from ivr.line.wire import NOT_FOUND, PLAIN, REFUSAL, XML, Receive, Scope, Send, body_of, reply
from ivr.logs import place_of
from ivr.oncall.ring_limits import WAVE
from ivr.services.rota import LiveRota
from ivr.services.world import RING_SECONDS

log = structlog.get_logger()


class Transfers(Protocol):
    """Is told of calls by their marks."""

    async def gone(self, legs: Sequence[bytes]) -> None: ...

    async def has_gone(self, legs: Sequence[bytes]) -> bool: ...

    async def entered(self, legs: Sequence[bytes]) -> None: ...

    async def left(self, legs: Sequence[bytes], room: str) -> None: ...


class Door:
    """The callers' webhooks. `transfers` is told who hung up, and who enters or leaves a conference; `rota` says who is
    rung when not even the engine can be asked."""

    def __init__(self, turning: Turning, edge: Edge, transfers: Transfers, rota: LiveRota) -> None:
        self._turning = turning
        self._ringing_nobody = turning.ringing_nobody
        self._edge = edge
        self._transfers = transfers
        self._rota = rota

    # ---- one document for each address ----

    async def answer(self, webhook: Webhook, token: str) -> bytes:
        """A call. Hang-ups come here too where no hangup URL is set: they begin nothing."""
        return await self.hangup(webhook, token) if webhook.is_over else await self._turning.begin(webhook)

    async def again(self, webhook: Webhook, token: str) -> bytes:
        """From the start: after an apology that nothing more could be done for, or back from the line of those who
        answer. `token` is what was lost then."""
        if await self._is_over(webhook):
            return EMPTY
        return await self._lost(self._ringing_nobody, webhook, f"again {token}", self._turning.flow.start)

    async def keys(self, webhook: Webhook, token: str) -> bytes:
        return await self._resumed(webhook, token, decode_keys(webhook.digits or ""))

    async def silence(self, webhook: Webhook, token: str) -> bytes:
        return await self._resumed(webhook, token, FellSilent())

    async def dialled(self, webhook: Webhook, token: str) -> bytes:
        return await self._came_back(webhook, token, decode_dial(webhook.dial_status or ""))

    async def undialled(self, webhook: Webhook, token: str) -> bytes:
        """Plivo went past a Dial without telling how it ended."""
        return await self._came_back(webhook, token, decode_dial(""))

    async def talked(self, webhook: Webhook, token: str) -> bytes:
        """The conversation is over, or the other one left it."""
        return await self._came_back(webhook, token, Returned(talked=True))

    async def hangup(self, webhook: Webhook, _token: str) -> bytes:
        """Nothing of a call is kept here but, for those who wait for a person, that they wait."""
        if webhook.is_over:
            await self._transfers.gone(self._marks(webhook))
        return EMPTY

    async def entered(self, webhook: Webhook, room: str) -> bytes:
        """The caller is in this conference, or leaves it; nobody hears what is answered."""
        if webhook.has_left:
            await self._transfers.left(self._marks(webhook), room)
        elif not webhook.is_over:
            await self._transfers.entered(self._marks(webhook))
        return EMPTY

    async def alone(self, _webhook: Webhook, language: str) -> bytes:
        return self._turning.voice.alone(language)

    async def confirm(self, _webhook: Webhook, _token: str) -> bytes:
        return self._turning.voice.confirm()

    async def trouble(self, webhook: Webhook, token: str) -> bytes:
        """An apology in every language, then a person: for a call whose place is lost, or a turn that failed."""
        return await self._in_trouble(self._turning, webhook, token)

    async def trouble_back(self, webhook: Webhook, token: str) -> bytes:
        """The same where the caller may have left: the person is rung once they are known to be there."""
        return await self._in_trouble(self._ringing_nobody, webhook, token)

    async def _in_trouble(self, turning: Turning, webhook: Webhook, token: str) -> bytes:
        if webhook.is_over:
            return EMPTY
        try:
            return await self._lost(turning, webhook, token, self._turning.flow.person)
        except Exception as error:
            log.error("apology failed", error=type(error).__name__, where=place_of(error))
            people = self._rota.last_known(self._turning.clock.now())[:WAVE]
            return self._turning.voice.trouble(token, tuple(person.phone for person in people), RING_SECONDS)

    async def _resumed(self, webhook: Webhook, token: str, received: Input) -> bytes:
        if webhook.is_over:
            return EMPTY
        return await self._turning.resume(webhook, token, received) or await self.trouble(webhook, token)

    async def _came_back(self, webhook: Webhook, token: str, received: Input) -> bytes:
        """After a Dial or a conference, of which Plivo may tell also where it ended because the caller hung up, with a
        CallStatus that does not say so: by itself this rings nobody."""
        if await self._is_over(webhook):
            return EMPTY
        resumed = await self._ringing_nobody.resume(webhook, token, received)
        return resumed or await self.trouble_back(webhook, token)

    async def _is_over(self, webhook: Webhook) -> bool:
        return webhook.is_over or await self._transfers.has_gone(self._marks(webhook))

    def _marks(self, webhook: Webhook) -> list[bytes]:
        return self._edge.marks(webhook, self._turning.clock.now())

    async def _lost(self, turning: Turning, webhook: Webhook, token: str, step: str) -> bytes:
        start = self._turning.flow.start
        sorry = () if step == start else apologies(self._turning.flow)
        # The trail: where a star leads, and her language is asked.
        return await turning.begin(webhook, after=token, step=step, trail=(start,), said=sorry)


async def nothing(_webhook: Webhook, _token: str) -> bytes:
    """In the place of an apology that nobody would hear: it would only ring phones."""
    return EMPTY


Handler = Callable[[Webhook, str], Awaitable[bytes]]


class Endpoint:
    """An ASGI application for one address of the door."""

    def __init__(
        self,
        handler: Handler,
        edge: Edge,
        trouble: Callable[[Webhook, str], Awaitable[bytes]],
        reads: frozenset[str] = frozenset(),
    ) -> None:
        self._handler = handler
        self._reads = reads
        self._edge = edge
        self._trouble = trouble

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await body_of(receive)
        webhook = None
        if body is not None:
            webhook = self._edge.admit(
                scope["method"],
                path=scope.get("raw_path") or scope["path"].encode(),
                query=scope["query_string"],
                headers=scope["headers"],
                body=body,
                reads=self._reads,
            )
        if webhook is None:
            return await reply(send, 403, REFUSAL, PLAIN)
        token: str = scope["path_params"].get("token", "")
        try:
            document = await self._handler(webhook, token)
        except Exception as error:
            # The last stand: a caller must never hear nothing. The place is ours, the message might quote her.
            log.error("turn failed", error=type(error).__name__, where=place_of(error))
            document = await self._trouble(webhook, token)
        return await reply(send, 200, document, XML)


class Addresses(Router):
    """The routes of the door. A webhook is looked up by its address, or by what stands before its token: asking
    Starlette's routes one after the other costs a tenth of a turn. They still answer for all else."""

    def __init__(self, routes: Sequence[Route], rejections: Rejections) -> None:
        super().__init__(routes, redirect_slashes=False)
        self._rejections = rejections
        ends = "/{token}"
        webhooks = [route for route in routes if isinstance(route.app, Endpoint | TextDoor)]
        self._with_token = {route.path.removesuffix(ends): route.app for route in webhooks if route.path.endswith(ends)}
        self._without = {route.path: route.app for route in webhooks if not route.path.endswith(ends)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            address, _, token = path.rpartition("/")
            endpoint = self._with_token.get(address) if token else None
            if endpoint is None:
                endpoint, token = self._without.get(path), ""
            if endpoint is not None:
                scope["path_params"] = {"token": token}
                return await endpoint(scope, receive, send)
        return await super().__call__(scope, receive, send)

    async def not_found(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await super().not_found(scope, receive, send)
        self._rejections.count(Reason.ADDRESS, scope["headers"])
        return await reply(send, 404, NOT_FOUND, PLAIN)


def build_router(
    door: Door,
    staff: StaffDoor,
    edge: Edge,
    recordings: Path,
    rejections: Rejections,
    ready: Ready,
    texts: TextDoor | None = None,
) -> Router:
    """The routes of the line's door; one for texts where somebody answers them. No middleware: it would take three
    quarters of the throughput."""

    def at(path: str, handler: Handler, trouble: Handler, *reads: str) -> Route:
        return Route(path, Endpoint(handler, edge, trouble, frozenset(reads)))

    return Addresses(
        [
            at("/voice/keys/{token}", door.keys, door.trouble, "Digits"),
            at("/voice/silence/{token}", door.silence, door.trouble),
            at("/voice/dialled/{token}", door.dialled, door.trouble_back, "DialStatus"),
            at("/voice/undialled/{token}", door.undialled, door.trouble_back),
            at("/voice/talked/{token}", door.talked, door.trouble_back),
            at("/voice/answer", door.answer, door.trouble),
            at("/voice/again/{token}", door.again, door.trouble_back),
            at("/voice/hangup", door.hangup, nothing),
            at("/voice/entered/{token}", door.entered, nothing, "ConferenceAction"),
            at("/voice/alone/{token}", door.alone, nothing),
            at("/voice/confirm", door.confirm, nothing),
            at("/staff/entered/{token}", staff.entered, nothing, "ConferenceAction"),
            at("/staff/offered/{token}", staff.offered, staff.trouble),
            at("/staff/over/{token}", staff.over, nothing),
            at("/staff/line", staff.line, staff.trouble),
            at("/staff/keys/{token}", staff.keys, staff.trouble, "Digits"),
            at("/staff/silence/{token}", staff.silence, staff.trouble),
            at("/staff/talked/{token}", staff.talked, staff.trouble),
            at("/staff/trial", staff.trial, staff.trouble),
            at("/staff/tried/{token}", staff.tried, nothing),
            Route("/voice/audio/{language}/{name}", Recordings(recordings)),
            Route("/healthz", Health()),
            Route("/readyz", ready),
            *([Route("/text", texts)] if texts else ()),
        ],
        rejections,
    )
