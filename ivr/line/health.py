"""Whether this process answers, and whether the line can take calls: for whoever supervises it. Strangers may ask too,
so neither costs anything or tells of anybody."""

import hmac

import orjson

from ivr.line.wire import JSON, Receive, Scope, Send, reply
from ivr.services.readiness import Readiness, told, told_to_operator


class Health:
    """This process answers."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await reply(send, 200, b'{"status":"ok"}', JSON)


class Ready:
    """200 where calls and reports can be taken, else 503. Each check is told only to whoever shows `token`, if there is
    one: behind a proxy, every peer has the proxy's address."""

    def __init__(self, readiness: Readiness, token: str) -> None:
        self._readiness = readiness
        self._shown = f"Bearer {token}".encode() if token else None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        answer = dict((told_to_operator if self._is_operator(scope) else told)(self._readiness))
        await reply(send, 200 if self._readiness.is_ready() else 503, orjson.dumps(answer), JSON)

    def _is_operator(self, scope: Scope) -> bool:
        shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return self._shown is not None and hmac.compare_digest(shown, self._shown)
