"""How a connection ends when the server stops: whatever was asked is answered, and who keeps it open hears that it
closes. Costs nothing before. Knows nothing of what is asked."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGER_SECONDS = 1.0
"""An idle connection stays open so long: its next request may be on the way. One that has begun has as long again."""

App = Callable[..., Awaitable[None]]


class Draining(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 for one connection. uvicorn itself closes idle connections at once, also under a request that
    it has not read yet."""

    def shutdown(self) -> None:
        """The server stops. It calls this once, and waits until the connection is closed."""
        self.app = cast(Any, _closing(self.app))  # uvicorn's own type for an application is not exported
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False  # that of the newest request
        self.loop.call_later(LINGER_SECONDS, partial(self._close_unless_asked, once_more=True))

    def _close_unless_asked(self, *, once_more: bool) -> None:
        is_answering = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if is_answering:
            return
        if self._is_asking() and once_more:
            self.loop.call_later(LINGER_SECONDS, partial(self._close_unless_asked, once_more=False))
        else:
            self.transport.close()

    def _is_asking(self) -> bool:
        """Whether a part of a request has come, and not all of it."""
        answered = None if self.cycle is None else self.cycle.scope
        return self.scope is not answered or (self.cycle is not None and self.cycle.more_body)


def _closing(app: App) -> App:
    """The same application, whose replies say that the connection closes."""

    async def last(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:  # ASGI's own types
        async def closing(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        await app(scope, receive, closing)

    return last
