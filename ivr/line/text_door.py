"""The door of texts, `POST /text`: a text in, an answer by whoever answers texts. Pure ASGI.

The carrier alone hears what this answers, and delivers again what was not well: so it may be told that something went
wrong, as a caller may not."""

from collections.abc import Awaitable, Callable

import structlog

from ivr.channels.message import NOTHING
from ivr.channels.texted import Texted, TextReply
from ivr.line.text_edge import TextEdge
from ivr.line.wire import PLAIN, REFUSAL, XML, Receive, Scope, Send, body_of, reply
from ivr.logs import place_of

AGAIN_AFTER = (b"retry-after", b"60")
"""Seconds. Plivo keeps times of its own: 60, 120 and 240 seconds."""

log = structlog.get_logger()


Answers = Callable[[Texted], Awaitable[TextReply]]
"""Answers texts. Is asked again with the same `message_id` where a text is delivered again."""


class TextDoor:
    """An ASGI application for the address of texts."""

    def __init__(self, edge: TextEdge, answers: Answers) -> None:
        self._edge = edge
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await body_of(receive)
        texted = None
        if body is not None:
            texted = self._edge.admit(
                scope["method"],
                path=scope.get("raw_path") or scope["path"].encode(),
                query=scope["query_string"],
                headers=scope["headers"],
                body=body,
            )
        if texted is None:
            return await reply(send, 403, REFUSAL, PLAIN)
        try:
            said = await self._answers(texted)
        except Exception as error:
            said = TextReply(is_unsent=True, failed=error)
        if said.failed is not None:
            # Never its message: it might quote her.
            log.error("text failed", error=type(said.failed).__name__, where=place_of(said.failed))
        if said.is_unsent:
            return await reply(send, 503, b"Later", PLAIN, AGAIN_AFTER)
        return await reply(send, 200, NOTHING if said.document is None else said.document, XML)
