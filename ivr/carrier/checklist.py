"""What of Plivo nobody has tried: for one supervised live call and one live text, what would hurt most first. Each with
what callers would meet if it were otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.carrier import behaviours as b
from ivr.carrier import exchange_behaviours as e
from ivr.carrier import text_behaviours as t
from ivr.carrier.behaviours import Behaviour

BEHAVIOURS: tuple[Behaviour, ...] = b.BEHAVIOURS + e.BEHAVIOURS + t.BEHAVIOURS


@dataclass(frozen=True, slots=True)
class Item:
    """`harm`: what callers or advocates meet if Plivo behaves in another way, and what to change then."""

    behaviour: Behaviour
    harm: str


_HARMS: Mapping[Behaviour, str] = {
    b.VOICES: "every call ends at the first word: set IVR_VOICES=WOMAN and try again",
    e.ALONE: "a caller who is put through and the advocate do not meet, or one stays alone: do not open the line",
    t.TEXT_SIGNED: "no text is answered: each is refused with 403",
    e.ENDS_ON_EXIT: "an advocate who hangs up ends the caller's call",
    e.CONFERENCE_ACTION: "whoever leaves a conference may hear nothing, or a caller who hung up is asked for again",
    e.WAIT_SOUND: "somebody who is alone in a conference hears silence until the other one comes",
    b.LATE_KEYS_LOST: "a key pressed too early answers the next question",
    b.BARE_FINISH_KEY: "the key # is taken for silence, or silence for #",
    b.DIGITS_TIMEOUT_AFTER_PROMPTS: "pieces of waiting end before their sentence does",
    b.RETRIES: "a sentence is heard twice, or a wait is twice as long",
    b.ACTION_EVENT: "webhooks of a call in progress are taken for its end",
    b.CALLER_LEAVES_DIAL: "an action of a call that is over is answered; it rings nobody by itself",
    b.UNCONFIRMED: "a caller whose call a mailbox answered hears another sentence than they should",
    b.CONFIRM_LEG: "whoever is dialled hears no question, and a mailbox talks with the caller",
    e.CONFIRM_RINGS_ON: "while a mailbox is asked nobody else is rung",
    b.STAR_STATUS: "a caller who left a Dial by the star is offered another choice than they should be",
    e.RING_TIMEOUT: "phones ring shorter than their owners need",
    e.CANCELLED: "phones ring on after somebody else took the call",
    e.DECLINED: "an advocate who declines is flagged as one who cannot be reached",
    e.NUMBER_REFUSED: "one wrong number in the rota makes the line dial instead of ring",
    e.FULL_IS_SKIPPED: "whoever finds a conference full hears another sentence than they should",
    e.CONFERENCE_TIME_LIMIT: "the longest talks end for both at once",
    b.WITHHELD: "a caller who withholds their number is refused",
    b.NO_ACTION: "nothing: every Dial and GetDigits of the line has an action",
    b.SAME_BYTES_RETRIED: "a webhook that is sent again is answered with other bytes",
    b.REDIRECT_LOOP: "a caller hears silence, where a loop of this line has no key: the checker refuses such a flow",
    b.INVALID_KEY: "nothing: the line sets no validDigits",
    b.AUTO_DIGIT_END: "nothing: the line says itself how long a pause may be",
    t.RESERVED_DELIVERED: "whoever texts HELP or STOP hears only Plivo's words",
    t.TEXT_SAME_ID: "a text that is delivered twice is answered twice",
    t.TEXT_UNORDERED: "nothing: the line expects it",
    t.TEXT_REFUSED: "an answer that is too long is not sent",
}


def checklist() -> Iterator[Item]:
    """What is assumed, or contradicted, what would hurt most first."""
    yield from (Item(behaviour, harm) for behaviour, harm in _HARMS.items())
