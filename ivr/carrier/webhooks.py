"""The webhooks of one imitated call: signed, sent, tried again as their URL says, and kept byte for byte for whoever
wants to look. Never reads what comes back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

from ivr.carrier.behaviours import RETRIED, SAME_BYTES_RETRIED, SIGNED, imitates
from ivr.carrier.callbacks import Callback, parse_callback
from ivr.carrier.fields import Fields, encode_form
from ivr.carrier.signature import MAIN_SIGNATURE, NONCE, SIGNATURE, sign
from ivr.carrier.transport import Reply, Transport, Unreachable
from ivr.kit.clock import VirtualClock


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it was sent and what came back; no reply when nobody answered."""

    url: str
    fields: Fields
    headers: tuple[tuple[str, str], ...]
    body: bytes
    reply: Reply | None


class Webhooks:
    """Sends one call's webhooks and remembers every try, in order."""

    def __init__(
        self,
        tokens: tuple[str, str],
        *,
        transport: Transport,
        clock: VirtualClock,
        seed: str,
        lapse: Callable[[timedelta], Awaitable[object]] | None = None,
    ) -> None:
        """`tokens`: of the account that owns the call, and of the main account. `lapse` lets the time pass that a try
        without an answer takes; else the clock is moved."""
        self._tokens = tokens
        self._transport = transport
        self._clock = clock
        self._lapse = lapse
        self._seed = seed
        self._nonces = 0
        self.exchanges: list[Exchange] = []

    @imitates(RETRIED, SAME_BYTES_RETRIED)
    async def post(self, url: str, fields: Fields) -> Reply:
        """The last reply, whatever its status. Raises Unreachable when the last try had none."""
        callback = parse_callback(url)
        headers = self._headers(callback.url, fields)
        for _ in range(callback.retries):
            try:
                reply = await self._send(callback.url, fields, headers)
            except Unreachable as failure:
                await self._wait(_span(callback, failure))
                if failure.when not in callback.policy:
                    raise
            else:
                if not (400 <= reply.status < 600 and f"{reply.status // 100}xx" in callback.policy):
                    return reply
        return await self._send(callback.url, fields, headers)

    async def _wait(self, span: timedelta) -> None:
        if self._lapse is None:
            self._clock.advance(span)
        else:
            await self._lapse(span)

    async def repeat(self, number: int, *, fresh_nonce: bool) -> Reply:
        """Sends the exchange with this number (from 0) once more; with the bytes it had, or signed anew."""
        again = self.exchanges[number]
        headers = self._headers(again.url, again.fields) if fresh_nonce else dict(again.headers)
        return await self._send(again.url, again.fields, headers)

    @imitates(SIGNED)
    def _headers(self, url: str, fields: Fields) -> dict[str, str]:
        self._nonces += 1
        digest = blake2b(f"{self._seed} nonce {self._nonces}".encode(), digest_size=16).digest()
        nonce = f"{int.from_bytes(digest) % 10**20:020}"
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "Plivo",
            NONCE: nonce,
            SIGNATURE: sign(self._tokens[0], url=url, nonce=nonce, fields=fields),
            MAIN_SIGNATURE: sign(self._tokens[1], url=url, nonce=nonce, fields=fields),
        }

    async def _send(self, url: str, fields: Fields, headers: dict[str, str]) -> Reply:
        body = encode_form(fields)
        reply = None
        try:
            reply = await self._transport.post(url, headers=headers, body=body)
        finally:
            self.exchanges.append(Exchange(url, fields, tuple(headers.items()), body, reply))
        return reply


def _span(callback: Callback, failure: Unreachable) -> timedelta:
    return timedelta(milliseconds=callback.connect_ms if failure.when == "ct" else callback.read_ms)
