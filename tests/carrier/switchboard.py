"""An exchange with a line that says what a test wrote down, and asks it to ring phones when a test wants it to."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from ivr.carrier.exchange import Exchange, Number
from ivr.carrier.rest import Order, Outcome, PlivoRest
from ivr.carrier.transport import AsgiTransport
from ivr.kit.clock import VirtualClock
from tests.carrier.scripted import BEGINNING, HOST, TOKEN, Pages, Script
from tests.founded import UNHURRIED

ACCOUNT = "MALOOPBACKLOOPBACK00"
LINE = "+12125550199"
ROSA = "+12125550100"
ANA, BEA, CLEO = "+12125550111", "+12125550112", "+12125550113"
WHISPER = (
    f'<GetDigits action="{HOST}/taken" numDigits="1" timeout="5" log="false"><Speak>A call for you</Speak></GetDigits>'
    "<Hangup/>"
)
HOLD = (
    '<GetDigits timeout="1" retries="1" numDigits="1" finishOnKey="none" log="false"><Wait length="5"/></GetDigits>'
    f"<Redirect>{HOST}/hold</Redirect>"
)
"""Six seconds of a caller's waiting."""


def room(called: str = "room", **attributes: str) -> str:
    said = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<Conference{said}>{called}</Conference>"


class Board:
    """The exchange, the line's script, and a client of the REST interface."""

    def __init__(
        self,
        pages: Pages,
        *,
        transport: type[AsgiTransport] = AsgiTransport,
        fallback: str | None = None,
        texts: str | None = f"{HOST}/text",
        **settings: Any,  # Any: whatever Exchange takes
    ) -> None:
        self.script = Script({"/hangup": "", "/over": "", **pages})
        self.exchange = Exchange(
            Number(LINE, f"{HOST}/answer", f"{HOST}/hangup", fallback, texts),
            clock=VirtualClock(BEGINNING),
            token=TOKEN,
            transport=transport(self.script),
            speech=lambda text, _: len(text) / 10,
            **settings,
        )
        self.rest = PlivoRest(
            api_url="https://api.plivo.example",
            auth_id=ACCOUNT,
            token=TOKEN,
            number=LINE,
            name="Line",
            transport=self.exchange.client_transport(),
            limits=UNHURRIED,
        )

    @property
    def passed(self) -> float:
        """Seconds of virtual time since the beginning."""
        return (self.exchange.clock.now() - BEGINNING).total_seconds()

    async def order(self, to: str, *, rings: int = 20, talks: int = 3600, answer: str = "/offer") -> Outcome:
        """The line asks that this phone be rung."""
        return await self.rest.place(Order(to, f"{HOST}{answer}", f"{HOST}/over", rings, talks))

    async def ask(self, method: str, path: str, *, token: str = TOKEN, **more: Any) -> httpx2.Response:  # Any: httpx2's
        """Whatever a test wants of the REST interface."""
        async with httpx2.AsyncClient(
            transport=self.exchange.client_transport(), base_url="https://api.plivo.example", auth=(ACCOUNT, token)
        ) as client:
            return await client.request(method, path, **more)

    def told(self, path: str) -> list[dict[str, str]]:
        return [fields for asked, fields in self.script.asked if asked == path]


def played(play: Callable[[Board], Awaitable[object]], pages: Pages, **settings: Any) -> Board:
    """Plays a scene and gives the board as it was left."""

    async def main() -> Board:
        board = Board(pages, **settings)
        try:
            await play(board)
        finally:
            await board.exchange.close()
            await board.rest.aclose()
        return board

    return asyncio.run(main())
