"""What becomes of each field of a webhook: the data inventory is generated from here.
The edge is fast and says it in its own way; a test shows that both say the same."""

from dataclasses import dataclass
from enum import StrEnum


class Use(StrEnum):
    """How far a field comes. Every field counts for the signature; that alone is no use of it."""

    PASSES = "passes"
    """What `why` names of it is used, for the length of one request."""
    LOOKED_AT = "looked at"
    """Refused if it is misshapen; used for nothing."""
    DROPPED = "dropped"
    """Never looked at."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field as Plivo names it; `SIP-H-*` stands for all that begin so."""

    name: str
    use: Use
    why: str


_SHAPE = "its shape only: a signed body has no delimiters, and one field could hide in another"

FIELDS: tuple[Field, ...] = (
    Field(
        "CallUUID",
        Use.PASSES,
        "of a caller's: two keyed hashes, one that binds the call to its token and one that begins its receipts and "
        "ids; their keys live for hours and for minutes. A third, of the first, lies in `live_transfers` while she "
        "waits for a person or talks with one. Of a call to a phone that we rang: it lies in `live_offers`: "
        "by it the call can be ended",
    ),
    Field("Event", Use.PASSES, "whether the call is over; nothing else of it"),
    Field("CallStatus", Use.PASSES, "whether the call is over; of a phone that we rang, whether it could be reached"),
    Field("Digits", Use.PASSES, "the keys that she pressed: they are her answers"),
    Field("DialStatus", Use.PASSES, "whether somebody talked with her when phones were rung"),
    Field("ConferenceAction", Use.PASSES, "whether somebody has entered or left the conference of their call"),
    Field(
        "SessionStart",
        Use.PASSES,
        "which ten minutes the call began in, so that a doubled webhook begins the same call; and how old a webhook "
        "is: the minute goes on only inside the sealed address that is called next",
    ),
    Field("Direction", Use.LOOKED_AT, _SHAPE),
    Field("InputType", Use.LOOKED_AT, _SHAPE),
    Field("ALegUUID", Use.LOOKED_AT, _SHAPE),
    Field("BLegUUID", Use.LOOKED_AT, _SHAPE),
    Field("RequestUUID", Use.LOOKED_AT, _SHAPE),
    Field("ParentCallUUID", Use.LOOKED_AT, _SHAPE),
    Field("ParentAuthID", Use.LOOKED_AT, _SHAPE),
    Field("BillRate", Use.LOOKED_AT, _SHAPE),
    Field("From", Use.DROPPED, "the caller's number: nothing here needs it"),
    Field("CallerName", Use.DROPPED, "the caller's name, where her network tells it"),
    Field("ForwardedFrom", Use.DROPPED, "the number that she was forwarded from"),
    Field("To", Use.DROPPED, "the hotline's number: we know it"),
    Field("SIP-H-*", Use.DROPPED, "what her network and internet phone tell about her"),
    Field("STIR*", Use.DROPPED, "how sure her network is of her number"),
    Field("HangupCause*", Use.DROPPED, "how her call ended: nothing of it is kept that would have to be let go of"),
    Field("Duration", Use.DROPPED, "how long she called"),
    Field("*", Use.DROPPED, "whatever else Plivo sends, now or later"),
)

TEXT_FIELDS: tuple[Field, ...] = (
    Field(
        "From",
        Use.PASSES,
        "her number: the answer is sent there, and a keyed hash of it names the conversation. Kept nowhere",
    ),
    Field("To", Use.PASSES, "the number that she wrote to: a text that came from there is our own, and not answered"),
    Field("Text", Use.PASSES, "what she wrote: her answers"),
    Field("Body", Use.PASSES, "what she wrote, where pictures came with it"),
    Field("MessageUUID", Use.PASSES, "which text it is, so that one that is delivered twice is answered once"),
    Field("Type", Use.LOOKED_AT, "its shape only"),
    Field("Units", Use.DROPPED, "of how many parts her text was"),
    Field("MessageIntent", Use.DROPPED, "whether Plivo took her text for a word of its own, like STOP"),
    Field("TotalRate", Use.DROPPED, "what her text costs"),
    Field("TotalAmount", Use.DROPPED, "what her text costs"),
    Field("PowerpackUUID", Use.DROPPED, "which group of numbers she wrote to"),
    Field("Media*", Use.DROPPED, "where Plivo keeps the pictures that she sent, and how many: nobody looks at them"),
    Field("ContentType", Use.DROPPED, "what kind of thing she sent"),
    Field("ErrorCode", Use.DROPPED, "what was wrong with the pictures that she sent"),
    Field(
        "*",
        Use.DROPPED,
        "whatever else Plivo sends, now or later: looked through for a field that is hidden there, and forgotten",
    ),
)
"""Of a text."""
