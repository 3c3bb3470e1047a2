"""The door of those who answer callers: their phones are picked up, and they call the line themselves."""

import re
from contextlib import suppress

import structlog

from ivr.channels.voice import decode_keys
from ivr.engine.inputs import FellSilent, Input, Returned
from ivr.flow.graph import Choose
from ivr.line.edge import Edge, Webhook
from ivr.line.turning import Turning
from ivr.services.offering import Whisper
from ivr.services.rota import LiveRota
from ivr.services.transfers import Transfers
from ivr.store.database import StoreUnavailable

EMPTY = b'<?xml version="1.0" encoding="utf-8"?><Response/>'
UNREACHABLE = "failed"
"""The CallStatus of a phone that could not be rung; others are busy, asleep or declining."""

_OFFER = re.compile(r"[0-9a-f]{32}")
_TAKE = "1"

log = structlog.get_logger()


class StaffDoor:
    """Webhooks of phones that the line rang, and of the line of those who answer."""

    def __init__(self, turning: Turning, transfers: Transfers, rota: LiveRota, edge: Edge) -> None:
        self._turning = turning
        self._transfers = transfers
        self._rota = rota
        self._edge = edge
        self._voice = turning.voice
        flow = turning.flow
        asked = flow.steps[flow.offered or flow.start]
        options = asked.options if isinstance(asked, Choose) else ()
        self._taking = next((option.to for option in options if option.key == _TAKE), flow.leave)

    # ---- a phone that we rang ----

    async def offered(self, webhook: Webhook, offer: str) -> bytes:
        """Her phone was picked up: by her, by her voicemail, by whoever is near."""
        if webhook.is_over or not _OFFER.fullmatch(offer):
            return EMPTY
        offer_id = bytes.fromhex(offer)
        heard = await self._transfers.answered(offer_id, webhook.call_uuid)
        if isinstance(heard, Whisper):
            flow = self._turning.flow
            return await self._turning.begin(webhook, step=flow.offered, language=heard.language, about=offer_id)
        # Somebody else was faster, or she has it already and this is told twice.
        return await self._turning.begin(webhook, step=self._taking, about=offer_id)

    async def entered(self, webhook: Webhook, _token: str) -> bytes:
        """Whoever took the call is in the conference, or leaves it; nobody hears what is answered."""
        try:
            if webhook.has_left:
                await self._transfers.conferences.left_by(webhook.call_uuid)
            elif not webhook.is_over:
                await self._transfers.conferences.joined(webhook.call_uuid)
        except StoreUnavailable as error:  # the caller has most likely not left, and a hang-up tells it too
            log.error("who comes into a conference was not looked at", error=type(error).__name__)
        return EMPTY

    async def over(self, webhook: Webhook, offer: str) -> bytes:
        """Her phone stopped ringing, or the call with her is over."""
        if _OFFER.fullmatch(offer):
            is_failing = webhook.status == UNREACHABLE
            try:
                await self._transfers.leg_over(bytes.fromhex(offer), webhook.call_uuid, is_failing=is_failing)
            except StoreUnavailable as error:  # the caller's own asking finds out
                log.error("the end of an offer was lost", error=type(error).__name__)
        return EMPTY

    # ---- the line of those who answer ----

    async def line(self, webhook: Webhook, _token: str) -> bytes:
        """She called the line herself."""
        return EMPTY if webhook.is_over else await self._turning.begin(webhook)

    # ---- turns of either ----

    async def keys(self, webhook: Webhook, token: str) -> bytes:
        return await self._resumed(webhook, token, decode_keys(webhook.digits or ""))

    async def silence(self, webhook: Webhook, token: str) -> bytes:
        return await self._resumed(webhook, token, FellSilent())

    async def talked(self, webhook: Webhook, token: str) -> bytes:
        """The conversation is over, or they left it; of a leg that is known to be over Plivo may tell it too."""
        is_over = webhook.is_over
        if not is_over:
            with suppress(StoreUnavailable):
                is_over = await self._transfers.conferences.left_by(webhook.call_uuid)
        return EMPTY if is_over else await self._resumed(webhook, token, Returned(talked=True))

    async def _resumed(self, webhook: Webhook, token: str, received: Input) -> bytes:
        if webhook.is_over:
            return EMPTY
        return await self._turning.resume(webhook, token, received) or self._voice.sorry()

    async def trouble(self, webhook: Webhook, _token: str) -> bytes:
        """Somebody who answers can call again; the caller is rung somebody else."""
        return EMPTY if webhook.is_over else self._voice.sorry()

    # ---- a trial ----

    async def trial(self, webhook: Webhook, _token: str) -> bytes:
        """Somebody's phone was rung to try it, and she answered."""
        return EMPTY if webhook.is_over else self._voice.trial()

    async def tried(self, webhook: Webhook, token: str) -> bytes:
        """It is over; whether the phone could be reached is all that is kept of it."""
        person = self._edge.tried(token, self._turning.clock.now())
        if person is None or not webhook.is_over:
            return EMPTY
        try:
            if await self._transfers.is_first(token):
                await self._rota.reached(person, is_failing=webhook.status == UNREACHABLE)
        except StoreUnavailable as error:  # whoever tried it sees nothing, and tries again
            log.error("the end of a trial was lost", error=type(error).__name__)
        return EMPTY
