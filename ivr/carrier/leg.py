"""What Plivo's webhooks say about one call: who, when, how it stands, how it ended. Never sends anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from math import ceil
from typing import Literal
from uuid import UUID

from ivr.carrier.behaviours import (
    ACTION_EVENT,
    ANSWER,
    CONFIRM_LEG,
    DIAL_ACTION,
    HANGUP_WEBHOOK,
    NUMBERS_WITHOUT_PLUS,
    WITHHELD,
    imitates,
)
from ivr.carrier.exchange_behaviours import OUTBOUND_ENDS, OUTBOUND_FIELDS
from ivr.carrier.fields import Fields

Event = Literal["StartApp", "Redirect", "Hangup", "ConferenceEnter", "ConferenceExit"]
DialStatus = Literal["completed", "busy", "no-answer", "failed", "timeout", "cancel"]
CallStatus = DialStatus
"""How a call ended."""

WITHHELD_CALLERS = ("", "anonymous", "Anonymous", "restricted", "unavailable", "unknown", "private", "+266696687")
"""What the number of a caller who withholds it may look like."""

ACCOUNT = "MALOOPBACKLOOPBACK00"
"""The auth id that the loopback carrier goes by."""

_BILL_RATE = "0.0055"
_DIAL_CAUSES: Mapping[DialStatus, str] = {
    "completed": "NORMAL_CLEARING",
    "busy": "USER_BUSY",
    "no-answer": "NO_ANSWER",
    "failed": "CALL_REJECTED",
    "timeout": "ALLOTTED_TIMEOUT",
    "cancel": "ORIGINATOR_CANCEL",
}
_HANGUPS: Mapping[str, tuple[str, str]] = {
    "NORMAL_CLEARING": ("4000", "Normal Hangup"),
    "CALL_REJECTED": ("3020", "Rejected"),
    "USER_BUSY": ("3010", "Busy Line"),
    "REQUEST_FAILED": ("7011", "Error Reaching URL"),
    "NO_ANSWER": ("3000", "No Answer"),
    "ORIGINATOR_CANCEL": ("1000", "Canceled"),
    "DESTINATION_OUT_OF_ORDER": ("2010", "Destination Out Of Service"),
    "ALLOTTED_TIMEOUT": ("6100", "Scheduled Hangup"),
}


def leg_uuid(seed: str) -> str:
    """The same seed gives the same call."""
    return str(UUID(bytes=blake2b(seed.encode(), digest_size=16).digest(), version=4))


@dataclass(slots=True)
class Leg:
    """A caller's leg, or one of a phone that the carrier rang. Moments are aware and UTC."""

    uuid: str
    caller: str
    to: str
    extra: Fields
    """Fields that only some calls have: ForwardedFrom, CallerName, SIP-H-..., STIR..."""
    began_at: datetime
    picked_up_at: datetime | None = None
    request_uuid: str | None = None
    """Of a phone that was rung by REST."""
    a_leg: str | None = None
    """Of a phone that another leg's Dial rang: that leg."""

    @imitates(ANSWER, NUMBERS_WITHOUT_PLUS, WITHHELD, ACTION_EVENT)
    def fields(self, event: Event, **more: str) -> Fields:
        status = "completed" if event == "Hangup" else "in-progress" if self.picked_up_at else "ringing"
        return (
            ("CallUUID", self.uuid),
            ("From", _digits(self.caller)),
            ("To", _digits(self.to)),
            ("CallStatus", status),
            ("Direction", "outbound" if self.request_uuid or self.a_leg else "inbound"),
            ("Event", event),
            ("SessionStart", f"{self.began_at:%Y-%m-%d %H:%M:%S.%f}"),
            ("BillRate", _BILL_RATE),
            ("ParentAuthID", ACCOUNT),
            *self._origin(),
            *self.extra,
            *more.items(),
        )

    @imitates(OUTBOUND_FIELDS)
    def _origin(self) -> Fields:
        if self.request_uuid is None:
            return (("ALegUUID", self.a_leg),) if self.a_leg else ()
        request = self.request_uuid
        return ("ALegUUID", self.uuid), ("ALegRequestUUID", request), ("RequestUUID", request)

    @imitates(HANGUP_WEBHOOK, OUTBOUND_ENDS)
    def hangup_fields(self, cause: str, *, source: str, now: datetime, status: CallStatus = "completed") -> Fields:
        seconds = (now - self.picked_up_at).total_seconds() if self.picked_up_at else 0.0
        code, name = _HANGUPS[cause]
        named = self.fields(
            "Hangup",
            HangupCause=cause,
            HangupCauseCode=code,
            HangupCauseName=name,
            HangupSource=source,
            Duration=str(int(seconds)),
            BillDuration=str(ceil(seconds / 60) * 60),
            StartTime=f"{self.began_at:%Y-%m-%d %H:%M:%S}",
            AnswerTime=f"{self.picked_up_at:%Y-%m-%d %H:%M:%S}" if self.picked_up_at else "",
            EndTime=f"{now:%Y-%m-%d %H:%M:%S}",
        )
        return tuple((dict(named) | {"CallStatus": status}).items())

    @imitates(DIAL_ACTION)
    def dial_fields(self, status: DialStatus, *, rang: bool, answered: bool, dialled: str | None = None) -> Fields:
        """`dialled`: the leg that answered, where it has an id of its own."""
        return self.fields(
            "Redirect",
            DialStatus=status,
            DialRingStatus="true" if rang else "false",
            DialHangupCause=_DIAL_CAUSES[status],
            DialALegUUID=self.uuid,
            DialBLegUUID=(dialled or self._dialled_uuid()) if answered else "",
        )

    @imitates(CONFIRM_LEG)
    def confirm_fields(self, number: str, *, shown: str) -> Fields:
        return self.dialled(self._dialled_uuid(), number, shown=shown).fields("Redirect")

    def dialled(self, uuid: str, number: str, *, shown: str) -> "Leg":
        """The leg of a phone that a Dial of this one rings."""
        return Leg(uuid, shown, number, (), self.began_at, self.picked_up_at, a_leg=self.uuid)

    def _dialled_uuid(self) -> str:
        return leg_uuid(f"{self.uuid} dialled")


def _digits(number: str) -> str:
    """Plivo writes +1 212 555 0100 as 12125550100; what is not a number stays as it is."""
    return number[1:] if number[:1] == "+" and number[1:].isdigit() else number
