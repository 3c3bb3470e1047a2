"""What leaves us for the phone company, with each document and with each request: the data inventory is generated from
here. `ivr.channels.voice` makes the documents, `ivr.carrier.rest` the requests; tests show that they hold just this."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """`places`: where it stands, as `Element` for its text and `Element attribute` for an attribute; of a request, the
    field of its body, or method and path where `*` is an id."""

    what: str
    why: str
    places: tuple[str, ...]


_ADDRESSES = (
    "GetInput action",
    "GetDigits action",
    "Redirect",
    "Dial action",
    "Conference action",
)
_LANGUAGE = ("Speak voice", "Speak language")
_FRAME = ("Response", "GetInput", "GetDigits", "Dial", "Hangup", "break", "Play", "Wait")

SENT: tuple[Sent, ...] = (
    Sent(
        "words to be spoken: prompts; among them her answers when they are read back to her, and her receipt. To"
        " somebody whose phone was rung for her, once she asks: the codes she keyed, her language, how long she waits",
        "they are heard; Plivo and whoever speaks for it see them in the clear while the call lasts",
        ("Speak", "s"),
    ),
    Sent("which voice speaks, and so her language", "she chose it", _LANGUAGE),
    Sent("the address of a recording of a prompt", "it is played instead of a voice", ("Play",)),
    Sent(
        "the address to call next; in it, sealed, the call so far: answers, language, place, the seed of its receipt",
        "nothing of a call in progress is kept here; only this line opens it, for at most twelve hours",
        _ADDRESSES,
    ),
    Sent("the phones of advocates, or of a partner that the flow names", "they are rung", ("Number",)),
    Sent(
        "the name of the conference in which a caller and whoever took her call meet: drawn from her call's seed",
        "both name the same one; it tells nothing of either",
        ("Conference",),
    ),
    Sent(
        "the address to tell who enters and who leaves a conference; in it the conference's name",
        "nobody must wait there for somebody who has hung up",
        ("Conference callbackUrl",),
    ),
    Sent(
        "the address of what somebody hears who is alone in a conference: it names their language",
        "it is never silent there, and a key leads out",
        ("Conference waitSound",),
    ),
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
        "her number, the hotline's, and the words that answer her text; only where `IVR_TEXT_REPLIES` is `xml`",
        "the answer to a text in the answer to its webhook: Plivo has no switch that keeps it out of its logs then",
        ("Message", "Message src", "Message dst"),
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
            *(f"Conference {name}" for name in (
                "method", "callbackMethod", "startConferenceOnEnter", "endConferenceOnExit", "stayAlone", "maxMembers",
                "relayDTMF", "hangupOnStar", "timeLimit", "redirect",
            )),
            "Redirect method",
            "break time",
            "Wait length",
        ),
    ),
)  # fmt: skip

ASKED: tuple[Sent, ...] = (
    Sent(
        "the number of somebody who answers callers",
        "her phone is rung: for a caller, or to try it (`ivr rota ring`)",
        ("POST Call", "to"),
    ),
    Sent("the hotline's number and name", "her phone shows these", ("from", "caller_name")),
    Sent(
        "addresses to call when she answers and when it is over; in both the name of the offer, drawn from the caller's"
        " seed; of a trial, in the latter, sealed, whose phone it was",
        "the line then knows which offer she answers; whether her phone could be reached is kept",
        ("answer_url", "hangup_url"),
    ),
    Sent(
        "how long to ring and to talk at most, and how to call those addresses",
        "the same for everybody, but for what is left of the time in which others would be rung",
        ("ring_timeout", "time_limit", "answer_method", "hangup_method"),
    ),
    Sent(
        "Plivo's own id of a ringing that the line asked for",
        "somebody else was faster, or the caller has gone: the phone stops ringing",
        ("DELETE Request/*",),
    ),
    Sent(
        "Plivo's own id of a call to somebody who answered; never of a caller's",
        "the same, where she has picked up and not decided",
        ("DELETE Call/*",),
    ),
    Sent(
        "the name of a conference",
        "one of the two has left it: the other one goes on from there",
        ("POST Conference/*/Member/all/Kick",),
    ),
    Sent(
        "the number of somebody who wrote to the hotline, and the words that answer her",
        "they are sent to her. Her number came with her text and is kept nowhere here; Plivo keeps it",
        ("POST Message", "dst", "text"),
    ),
    Sent("the hotline's number", "her phone shows it", ("src",)),
    Sent(
        "`false`, with every text",
        "Plivo is asked not to log its words, and to log her number without its last three digits",
        ("log",),
    ),
)
