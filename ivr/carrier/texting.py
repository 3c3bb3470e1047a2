"""Texts of the exchange: what somebody writes is delivered to the line until it takes it, what the line sends reaches a
phone, and the words that the carrier keeps for itself are answered by the carrier. Never knows what is written."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from hmac import digest
from http import HTTPStatus
from typing import Literal

from ivr.carrier import text_behaviours as b
from ivr.carrier.behaviours import NUMBERS_WITHOUT_PLUS, imitates
from ivr.carrier.fields import Fields, encode_form
from ivr.carrier.messages import Message, messages, units
from ivr.carrier.phones import plain
from ivr.carrier.signature import MAIN_SIGNATURE, NONCE, SIGNATURE, sign
from ivr.carrier.timetable import Doze, Timetable
from ivr.carrier.transport import Transport, Unreachable
from ivr.carrier.webhooks import Exchange

Intent = Literal["", "optout", "optin", "help"]

PATIENCE = 8.0
"""Seconds for the answer to a text."""
AGAIN_AFTER = (60.0, 120.0, 240.0)
"""Seconds between a delivery that failed and the next."""
ACKNOWLEDGED_WITHIN = timedelta(minutes=5)

RESERVED: Mapping[str, Intent] = {
    **dict.fromkeys(("STOP", "STOP ALL", "END", "QUIT", "CANCEL", "UNSUBSCRIBE", "UNSUB"), "optout"),
    **dict.fromkeys(("START", "YES", "RESUME", "RESUME ALL", "UNSTOP", "GO"), "optin"),
    **dict.fromkeys(("HELP", "INFO"), "help"),
}
OWN_WORDS: Mapping[Intent, str] = {
    "optout": "You have been unsubscribed and will not receive any more messages from this number.",
    "help": "Text STOP to stop receiving messages from this number. Message and data rates may apply.",
    "optin": "You have been re-subscribed and will receive messages from this number again.",
}
"""What Plivo itself writes; of `optin` the words are assumed."""

_US_DIGITS = 11


@dataclass(frozen=True, slots=True)
class TextRules:
    """What Plivo leaves open, or says in one place only."""

    reserved_are_delivered: bool = True
    """Words that the carrier keeps for itself reach the line too."""
    acknowledges: bool = True
    """Whoever opted out still gets one text within five minutes."""


@dataclass(frozen=True, slots=True)
class PhoneText:
    """What a phone got. `log`: whether the words stand in the carrier's logs. Numbers are in E.164."""

    to: str
    sender: str
    words: str
    log: bool
    at: datetime
    by: Literal["line", "carrier"] = "line"


@dataclass(frozen=True, slots=True)
class Unsent:
    """A text of the line's that Plivo took and did not send; `error` is Plivo's code."""

    to: str
    words: str
    at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One time that a text was posted; `sent` is the request, and what came back."""

    message_id: str
    at: datetime
    sent: Exchange


@dataclass(slots=True)
class _OptOut:
    at: datetime
    may_acknowledge: bool


class Texts:
    """Those of one number. What is public and no method is a record, for whoever tests."""

    def __init__(
        self,
        number: str,
        message_url: str | None,
        *,
        table: Timetable,
        transport: Transport,
        token: str,
        rules: TextRules,
        new_id: Callable[[], str],
    ) -> None:
        self._number = number
        self._message_url = message_url
        self._table = table
        self._transport = transport
        self._token = token
        self._rules = rules
        self._new_id = new_id
        self._opted_out: dict[str, _OptOut] = {}
        self._written: dict[str, Fields] = {}
        self.got: list[PhoneText] = []
        self.unsent: list[Unsent] = []
        self.deliveries: list[Delivery] = []

    # ---- to the line ----

    @imitates(b.TEXT_FIELDS, b.PICTURES, b.RESERVED, b.RESERVED_DELIVERED, NUMBERS_WITHOUT_PLUS)
    def write(
        self,
        sender: str,
        words: str,
        *,
        extra: Mapping[str, str],
        message_id: str | None,
        after: float,
        pictures: Sequence[str],
    ) -> str:
        """Somebody writes to the number; the id of her text."""
        message_id = message_id or self._new_id()
        intent = RESERVED.get(words.rstrip().upper(), "") if self._is_american else ""
        kind, body = ("mms", "Body") if pictures else ("sms", "Text")
        fields = {
            "From": plain(sender),
            "To": plain(self._number),
            body: words,
            "Type": kind,
            "MessageUUID": message_id,
            "Units": str(units(words)),
            "TotalRate": "0.0055",
            "TotalAmount": f"{0.0055 * units(words):.4f}",
            "MessageIntent": intent,
            "PowerpackUUID": "",
            **({"MediaCount": str(len(pictures))} if pictures else {}),
            **{f"Media{number}": url for number, url in enumerate(pictures)},
            **extra,
        }
        self._written[message_id] = tuple(fields.items())
        if intent:
            self._keep_to(intent, sender)
        if not intent or self._rules.reserved_are_delivered:
            self.deliver(message_id, after=after)
        return message_id

    @imitates(b.TEXT_UNORDERED)
    def deliver(self, message_id: str, *, after: float) -> None:
        """A text that was written comes to the line so many seconds from now, however often it came before. Raises
        KeyError for one that was not."""
        fields = self._written[message_id]
        if self._message_url is not None:
            self._table.begin(self._deliver(self._message_url, message_id, fields, after))

    @imitates(b.TEXT_RETRIED, b.TEXT_SAME_ID)
    async def _deliver(self, url: str, message_id: str, fields: Fields, after: float) -> None:
        headers = self._headers(url, message_id, fields)
        for pause in (after, *AGAIN_AFTER):
            await self._pause(pause)
            if await self._is_taken(url, message_id, fields, headers):
                return

    @imitates(b.TEXT_TIMEOUT)
    async def _is_taken(self, url: str, message_id: str, fields: Fields, headers: dict[str, str]) -> bool:
        at, body, reply = self._table.now(), encode_form(fields), None
        try:
            reply = await self._transport.post(url, headers=headers, body=body)
        except Unreachable:
            await self._pause(PATIENCE)
            return False
        finally:
            self.deliveries.append(Delivery(message_id, at, Exchange(url, fields, tuple(headers.items()), body, reply)))
        if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
            return False
        for message in messages(reply.body, reply.content_type, self._number):
            self.send(message)
        return True

    @imitates(b.TEXT_SIGNED)
    def _headers(self, url: str, message_id: str, fields: Fields) -> dict[str, str]:
        nonce = f"{int.from_bytes(blake2b(message_id.encode(), digest_size=16).digest()) % 10**20:020}"
        genuine = sign(self._token, url=url, nonce=nonce, fields=fields)
        older = b64encode(digest(self._token.encode(), f"{url}{nonce}".encode(), "sha256")).decode("ascii")
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "Plivo",
            NONCE: nonce,
            SIGNATURE: sign(f"{self._token} of a voice", url=url, nonce=nonce, fields=fields),
            MAIN_SIGNATURE: genuine,
            "X-Plivo-Signature-V2": older,
            "X-Plivo-Signature-Ma-V2": older,
            "X-Plivo-Signature-V2-Nonce": nonce,
        }

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            doze: Doze[None] = Doze(self._table)
            self._table.after(seconds, lambda: doze.wake(None))
            await doze.sleep()

    # ---- to a phone ----

    @imitates(b.OPTED_OUT, b.ACKNOWLEDGED, b.TEXT_LOG)
    def send(self, message: Message) -> str:
        """The line writes to a phone; the id of its text."""
        now = self._table.now()
        out = self._opted_out.get(plain(message.to))
        if out is None or (out.may_acknowledge and now - out.at <= ACKNOWLEDGED_WITHIN):
            if out is not None:
                out.may_acknowledge = False
            self.got.append(PhoneText(message.to, self._number, message.words, message.is_logged, now))
        else:
            self.unsent.append(Unsent(message.to, message.words, now, "200"))
        return self._new_id()

    @imitates(b.RESERVED_ANSWERED)
    def _keep_to(self, intent: Intent, sender: str) -> None:
        now, known = self._table.now(), plain(sender)
        was_out = known in self._opted_out
        if intent == "optout":
            self._opted_out[known] = _OptOut(now, may_acknowledge=self._rules.acknowledges)
        elif intent == "optin":
            self._opted_out.pop(known, None)
        if intent != "optin" or was_out:
            words = OWN_WORDS[intent]
            self.got.append(PhoneText(f"+{known}", self._number, words, log=True, at=now, by="carrier"))

    @property
    def _is_american(self) -> bool:
        number = plain(self._number)
        return number.startswith("1") and len(number) == _US_DIGITS
