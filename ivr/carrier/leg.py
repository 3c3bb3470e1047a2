"""What Plivo's webhooks say about one inbound call: who, when, how it stands, how it ended. Never sends anything."""

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
from ivr.carrier.fields import Fields

Event = Literal["StartApp", "Redirect", "Hangup"]
DialStatus = Literal["completed", "busy", "no-answer", "failed", "timeout", "cancel"]

WITHHELD_CALLERS = ("", "anonymous", "Anonymous", "restricted", "unavailable", "unknown", "private", "+266696687")
"""What the number of a caller who withholds it may look like."""

_BILL_RATE = "0.0055"
_ACCOUNT = "MALOOPBACKLOOPBACK00"
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
}


def leg_uuid(seed: str) -> str:
    """The same seed gives the same call."""
    return str(UUID(bytes=blake2b(seed.encode(), digest_size=16).digest(), version=4))


@dataclass(slots=True)
class Leg:
    """The caller's leg. Moments are aware and UTC."""

    uuid: str
    caller: str
    to: str
    extra: Fields
    """Fields that only some calls have: ForwardedFrom, CallerName, SIP-H-..., STIR..."""
    began_at: datetime
    picked_up_at: datetime | None = None

    @imitates(ANSWER, NUMBERS_WITHOUT_PLUS, WITHHELD, ACTION_EVENT)
    def fields(self, event: Event, **more: str) -> Fields:
        status = "completed" if event == "Hangup" else "in-progress" if self.picked_up_at else "ringing"
        return (
            ("CallUUID", self.uuid),
            ("From", _digits(self.caller)),
            ("To", _digits(self.to)),
            ("CallStatus", status),
            ("Direction", "inbound"),
            ("Event", event),
            ("SessionStart", f"{self.began_at:%Y-%m-%d %H:%M:%S.%f}"),
            ("BillRate", _BILL_RATE),
            ("ParentAuthID", _ACCOUNT),
            *self.extra,
            *more.items(),
        )

    @imitates(HANGUP_WEBHOOK)
    def hangup_fields(self, cause: str, *, source: str, now: datetime) -> Fields:
        seconds = (now - self.picked_up_at).total_seconds() if self.picked_up_at else 0.0
        code, name = _HANGUPS[cause]
        return self.fields(
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

    @imitates(DIAL_ACTION)
    def dial_fields(self, status: DialStatus, *, rang: bool, answered: bool) -> Fields:
        return self.fields(
            "Redirect",
            DialStatus=status,
            DialRingStatus="true" if rang else "false",
            DialHangupCause=_DIAL_CAUSES[status],
            DialALegUUID=self.uuid,
            DialBLegUUID=self._dialled_uuid() if answered else "",
        )

    @imitates(CONFIRM_LEG)
    def confirm_fields(self, number: str, *, shown: str) -> Fields:
        dialled = Leg(self._dialled_uuid(), shown, number, (), self.began_at, self.picked_up_at)
        named = dict(dialled.fields("Redirect", ALegUUID=self.uuid))
        return tuple((named | {"Direction": "outbound"}).items())

    def _dialled_uuid(self) -> str:
        return leg_uuid(f"{self.uuid} dialled")


def _digits(number: str) -> str:
    """Plivo writes +1 212 555 0100 as 12125550100; what is not a number stays as it is."""
    return number[1:] if number[:1] == "+" and number[1:].isdigit() else number
