"""What leaves us for the phone company, with each document and with each request: the data inventory is generated from
here. `ivr.channels.voice` makes the documents, `ivr.carrier.rest` the requests; tests show that they hold just this."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """`places`: where it stands, as `Element` for its text and `Element attribute` for an attribute."""

    what: str
    why: str
    places: tuple[str, ...]


_ADDRESSES = (
    "GetInput action",
    "GetDigits action",
    "Redirect",
    "Dial action",
)
_LANGUAGE = ("Speak voice", "Speak language")
_FRAME = ("Response", "GetInput", "GetDigits", "Dial", "Hangup", "break", "Play")

SENT: tuple[Sent, ...] = (
    Sent(
        "words to be spoken: prompts; among them her answers when they are read back to her, and her receipt",
        "she hears them; Plivo and whoever speaks for it see them in the clear while the call lasts",
        ("Speak", "s"),
    ),
    Sent("which voice speaks, and so her language", "she chose it", _LANGUAGE),
    Sent("the address of a recording of a prompt", "it is played instead of a voice", ("Play",)),
    Sent(
        "the address to call next; in it, sealed, the call so far: answers, language, place, the seed of its receipt",
        "nothing of a call in progress is kept here; only this line opens it, for at most twelve hours",
        _ADDRESSES,
    ),
    Sent("the phones of advocates", "they are rung", ("Number",)),
    Sent(
        "the hotline's number and name",
        "phones that are rung show these; Plivo would show the caller's own",
        ("Dial callerId", "Dial callerName"),
    ),
    Sent(
        "the address of what a phone that is rung hears first",
        "it is the same for every call",
        ("Dial confirmSound",),
    ),
    Sent(
        "`false`, at every input",
        "Plivo is asked not to log the keys that she presses",
        ("GetInput log", "GetDigits log"),
    ),
    Sent(
        "how to wait, ring and go on",
        "seconds, counts and keys; the same for every caller at the same step",
        (
            *_FRAME,
            *(f"GetInput {name}" for name in (
                "method", "inputType", "executionTimeout", "digitEndTimeout", "finishOnKey", "numDigits", "redirect",
            )),
            *(f"GetDigits {name}" for name in ("method", "timeout", "finishOnKey", "numDigits", "retries", "redirect")),
            *(f"Dial {name}" for name in (
                "method", "hangupOnStar", "timeLimit", "timeout", "confirmKey", "confirmTimeout", "redirect",
            )),
            "Redirect method",
            "break time",
        ),
    ),
)  # fmt: skip

ASKED: tuple[Sent, ...] = (
    Sent("the number of somebody who answers callers", "her phone is rung", ("to",)),
    Sent("the hotline's number and name", "her phone shows these", ("from", "caller_name")),
    Sent(
        "addresses to call when she answers and when it is over; in the latter, sealed, whose phone it was",
        "whether it could be reached is kept, and nothing else of it",
        ("answer_url", "hangup_url"),
    ),
    Sent(
        "how long to ring and to talk at most, and how to call those addresses",
        "the same for everybody",
        ("ring_timeout", "time_limit", "answer_method", "hangup_method"),
    ),
)
"""`places` are the fields of the request."""
