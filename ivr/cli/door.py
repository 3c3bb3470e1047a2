"""`ivr call --through-the-door`: a telephone exchange in the terminal. It calls the line by signed webhooks over HTTP,
and rings phones when the line asks it to, as the phone company does."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx2
import uvicorn
from nacl.utils import random

from ivr.carrier.exchange import Exchange, Number
from ivr.carrier.leg import ACCOUNT
from ivr.carrier.loopback import CarrierRefused
from ivr.carrier.phones import NeverAnswers
from ivr.carrier.rest_api import NotImitated, RestApi
from ivr.carrier.texting import AGAIN_AFTER, PATIENCE, Delivery
from ivr.carrier.transport import HttpTransport, Reply
from ivr.cli import place
from ivr.cli.phone import Hand
from ivr.cli.switchboard import Switchboard
from ivr.cli.watch import Show
from ivr.engine.call import SEED_BYTES
from ivr.kit.clock import SystemClock, VirtualClock
from ivr.settings import Settings

HER_NUMBER = "+12125550143"
"""Whose texts these are: a number that nobody has."""

NOBODY = "Nobody answers on {url}. Is it served there? `make run` says how to call it."

AFTERWARDS = 0.05
"""Real seconds. What the line asks for after it has answered a webhook, it asks for within them."""

DIALS = """\
Port {port} is taken, so the line cannot ask this call to ring phones: it will dial them instead (/talked, /nobody).
Free the port, or name another for both commands: IVR_PLIVO_API_URL=http://127.0.0.1:PORT"""

SENDS_NO_TEXTS = """\
Port {port} is taken, so the line cannot send its texts here. Free the port, or name another for both commands:
IVR_PLIVO_API_URL=http://127.0.0.1:PORT; or let replies go back with each text: IVR_TEXT_REPLIES=xml"""

BUSY = "Another call is under way in another terminal, and phones would ring there: end that one first."


@dataclass(slots=True)
class Webhooks:
    """The way to the line, and whether it was used since somebody asked."""

    way: HttpTransport
    is_used: bool = False

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        self.is_used = True
        return await self.way.post(url, headers=headers, body=body)


async def call_through(of: Settings, hand: Hand, show: Show, *, is_script: bool) -> None:
    """A call to the line that is served here, or the end of the command with the reason why not."""
    async with _exchange_for(of, show, otherwise=DIALS) as exchange:
        caller = await exchange.call()
        await exchange.until(lambda: caller.state != "ringing")  # a line that does not answer is tried again
        if caller.over is not None and caller.over.source == "carrier":
            place.give_up(NOBODY.format(url=of.url))
        await Switchboard(exchange, caller, show, hurries=is_script).talk(hand)


async def text_through(of: Settings, converse: Callable[["DoorPocket"], Awaitable[None]], show: Show) -> None:
    """A conversation by text with the line that is served here, or the end of the command with the reason why not."""
    async with _exchange_for(of, show, otherwise=SENDS_NO_TEXTS) as exchange:
        await converse(DoorPocket(exchange, of.url, show))


@dataclass(slots=True)
class DoorPocket:
    """A phone that texts by way of the exchange."""

    exchange: Exchange
    url: str
    show: Show

    async def text(self, words: str) -> list[str]:
        exchange, before, blocked = self.exchange, len(self.exchange.texts), len(self.exchange.unsent)
        message_id = await exchange.text(HER_NUMBER, words)
        if not any(one.message_id == message_id for one in exchange.deliveries):
            await exchange.run(PATIENCE + 1)  # no connection: the phone company waits for so long
        tries = [one for one in exchange.deliveries if one.message_id == message_id]
        if tries and tries[-1].sent.reply is None:
            place.give_up(NOBODY.format(url=self.url))
        if tries and len(exchange.texts) == before and _is_asked_again(tries[-1]):
            self.show("  (no reply could be sent; the phone company brings the text again after a minute)")
            await exchange.run(AGAIN_AFTER[0] + 1)
        if len(exchange.unsent) > blocked:
            self.show(
                "  (the phone company sends her nothing from this line, since she wrote STOP; START allows it again)"
            )
        return [text.words for text in exchange.texts[before:] if text.to == HER_NUMBER]


def _is_asked_again(delivery: Delivery) -> bool:
    reply = delivery.sent.reply
    return reply is not None and reply.status >= HTTPStatus.BAD_REQUEST


@asynccontextmanager
async def _exchange_for(of: Settings, show: Show, *, otherwise: str) -> AsyncIterator[Exchange]:
    """The phone company between this terminal and the line. `otherwise`: what is told where the line cannot ask it for
    anything."""
    if not of.is_loopback:
        place.give_up(
            "The carrier is Plivo: call the number. (--through-the-door stands in for it where there is none.)"
        )
    token = place.loopback_token(of)
    if token is None:
        place.give_up("No line was ever served here: start it with `make run`.")
    async with httpx2.AsyncClient(timeout=10, trust_env=False) as client:
        exchange = _exchange(of, token, Webhooks(HttpTransport(client)))
        try:
            async with _rings(of, token, exchange.rest, show, otherwise=otherwise):
                yield exchange
        except (CarrierRefused, NotImitated) as error:
            place.give_up(f"{of.url} did what Plivo would refuse, or what nothing here imitates: {error}")


def _exchange(of: Settings, token: str, webhooks: Webhooks) -> Exchange:
    async def settled() -> None:
        # Virtual time must not run away from what a line that is another process does when nobody waits for it.
        if webhooks.is_used and exchange.rest.requests:
            webhooks.is_used = False
            await asyncio.sleep(AFTERWARDS)

    exchange = Exchange(
        Number(of.number, f"{of.url}/voice/answer", f"{of.url}/voice/hangup", message_url=f"{of.url}/text"),
        clock=VirtualClock(SystemClock().now()),
        token=token,
        transport=webhooks,
        settled=settled,
        seed=random(SEED_BYTES).hex(),
    )
    exchange.phones.otherwise = NeverAnswers()  # whoever sits at the terminal answers
    return exchange


@asynccontextmanager
async def _rings(of: Settings, token: str, rest: RestApi, show: Show, *, otherwise: str) -> AsyncIterator[None]:
    """While the call lasts, the line can ask for phones to ring, unless somebody else listens where it asks."""
    asked = urlsplit(of.api_url)
    port = asked.port or 80
    try:
        listening = socket.create_server((asked.hostname or "", port))
    except OSError:
        if await _is_exchange(of.api_url, token):
            place.give_up(BUSY)
        show(otherwise.format(port=port))
        yield
        return
    server = _Server(uvicorn.Config(rest, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Beside a call: Ctrl-C is for the call."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _is_exchange(url: str, token: str) -> bool:
    """Whether a call from another terminal listens there."""
    try:
        async with httpx2.AsyncClient(timeout=1, trust_env=False, auth=(ACCOUNT, token)) as client:
            reply = await client.get(f"{url}/v1/Account/{ACCOUNT}/Call/")
            return "api_id" in reply.json()
    except (httpx2.HTTPError, ValueError, TypeError):
        return False
