"""What the loopback carrier imitates of Plivo, as data: each behaviour is documented, assumed, or contradicted. What is
not documented is a checklist for one supervised live call: ivr.carrier.checklist."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

Imitation = TypeVar("Imitation", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Behaviour:
    name: str
    status: Literal["documented", "assumed", "contradicted"]
    """Contradicted: sources disagree, or Plivo's page says something and what it descends from does another thing."""
    what: str
    """One sentence that a live call can confirm or refute."""
    source: str
    """A page below docs/voice/ of Plivo's documentation, or why this was assumed."""


VOICES = Behaviour(
    "voices",
    "assumed",
    "Polly.Joanna speaks en-US and Polly.Penelope es-US; a voice that Plivo does not know ends the call (error 8011).",
    "concepts/ssml shows Polly voices without a suffix, the list is on no page that was read; 8011 is documented",
)
ANSWER = Behaviour(
    "answer",
    "documented",
    "An inbound call posts CallUUID, From, To, Direction, CallStatus=ringing and Event=StartApp to the answer URL.",
    "xml/request; public signature vectors for Event, SessionStart, BillRate, ParentAuthID",
)
NUMBERS_WITHOUT_PLUS = Behaviour(
    "numbers-without-plus",
    "documented",
    "From and To are E.164 digits without the plus sign.",
    "public signature vectors; api/call examples",
)
WITHHELD = Behaviour(
    "withheld",
    "assumed",
    "A withheld caller's From is empty, or a word such as anonymous, restricted or unavailable.",
    "documented nowhere",
)
SIGNED = Behaviour(
    "signed",
    "documented",
    "A webhook carries V3 signatures of account and main account and its own nonce; no fragment is sent or signed.",
    "concepts/signature-validation; SDK 4.63.0",
)
IN_ORDER = Behaviour(
    "in-order",
    "documented",
    "Elements run in the document's order; running off the end hangs up.",
    "xml/response",
)
WAIT_DELAYS_ANSWER = Behaviour(
    "wait-delays-answer",
    "documented",
    "A Wait before anything else delays picking up: the call still rings.",
    "xml/wait",
)
PROMPT_INTERRUPTED = Behaviour(
    "prompt-interrupted",
    "documented",
    "A key pressed during a nested prompt stops the prompt and counts.",
    'xml/input ("Input collection starts as soon as the first digit is pressed")',
)
NO_INPUT_FALLS_THROUGH = Behaviour(
    "no-input-falls-through",
    "documented",
    "Without input the action is not called; the next element runs.",
    "xml/getinput executionTimeout; xml/getdigits timeout",
)
TIMEOUT_AFTER_PROMPTS = Behaviour(
    "timeout-after-prompts",
    "documented",
    "executionTimeout is counted after the nested prompts have ended.",
    "xml/getinput executionTimeout",
)
DIGITS_TIMEOUT_AFTER_PROMPTS = Behaviour(
    "digits-timeout-after-prompts",
    "assumed",
    "GetDigits timeout is counted after the nested prompts have ended.",
    "the page does not say; GetInput's does",
)
FINISH_KEY = Behaviour(
    "finish-key",
    "documented",
    "The finish key ends the input and is not among the Digits; it is # unless set, and empty or none is no key.",
    "xml/getinput finishOnKey, Digits",
)
BARE_FINISH_KEY = Behaviour(
    "bare-finish-key",
    "assumed",
    "A finish key with no digits before it is no input: the next element runs.",
    "the open-source ancestor did so; the pages do not say",
)
ENOUGH_DIGITS = Behaviour(
    "enough-digits",
    "documented",
    "numDigits digits end the input at once; further ones are ignored.",
    "xml/getdigits numDigits",
)
LATE_KEYS_LOST = Behaviour(
    "late-keys-lost",
    "assumed",
    "Keys pressed between two inputs are lost.",
    "undocumented; the open-source ancestor flushes its buffer",
)
DIGITS_END = Behaviour(
    "digits-end",
    "documented",
    "After digitEndTimeout (GetDigits: digitTimeout) without another key, what was typed is the input.",
    "xml/getinput digitEndTimeout; xml/getdigits digitTimeout",
)
AUTO_DIGIT_END = Behaviour(
    "auto-digit-end",
    "assumed",
    "digitEndTimeout auto is 4 seconds.",
    "the page names no figure",
)
RETRIES = Behaviour(
    "retries",
    "assumed",
    "GetDigits plays its prompts and waits `retries` times in all before it falls through.",
    "the page says only 'the number of retries allowed'",
)
INVALID_KEY = Behaviour(
    "invalid-key",
    "assumed",
    "A key that is not among validDigits is ignored.",
    "the page says only that a sound is played",
)
NO_ACTION = Behaviour(
    "no-action",
    "assumed",
    "GetDigits or Dial without an action goes on with the next element.",
    "action is optional there; nothing says what follows",
)
ACTION = Behaviour(
    "action",
    "documented",
    "The action receives Digits and, from GetInput, InputType=dtmf; its document replaces the one before.",
    "xml/getinput, parameters sent to the action URL",
)
ACTION_EVENT = Behaviour(
    "action-event",
    "assumed",
    "Webhooks after the answer carry Event=Redirect and CallStatus=in-progress.",
    "documented for Redirect only (xml/redirect)",
)
REDIRECT_FALSE = Behaviour(
    "redirect-false",
    "documented",
    "With redirect=false the action is requested, its document ignored, and the next element runs.",
    "xml/getdigits redirect",
)
REDIRECT = Behaviour(
    "redirect",
    "documented",
    "Redirect fetches a document that replaces this one; what follows it never runs.",
    "xml/redirect",
)
REDIRECT_LOOP = Behaviour(
    "redirect-loop",
    "assumed",
    "Documents that follow each other without end, with no chance to press a key, are an error.",
    "no bound is documented",
)
HANGUP = Behaviour(
    "hangup",
    "documented",
    "Hangup ends the call; nothing after it runs.",
    "xml/hangup",
)
HANGUP_REJECTS = Behaviour(
    "hangup-rejects",
    "documented",
    "Hangup as the first element of the answer rejects the call, which is never picked up.",
    "xml/hangup, note",
)
HANGUP_WEBHOOK = Behaviour(
    "hangup-webhook",
    "documented",
    "The end of a call posts Event=Hangup, CallStatus=completed, HangupCause and Duration to the hangup URL.",
    "xml/request; account/api/application",
)
HANGUP_TO_ANSWER_URL = Behaviour(
    "hangup-to-answer-url",
    "documented",
    "Without a hangup URL the hang-up comes to the answer URL.",
    "account/api/application, hangup_url",
)
SPEECH_BREAKS = Behaviour(
    "speech-breaks",
    "documented",
    "A break in speech takes the time that it names.",
    "concepts/ssml",
)
RINGS_ALL = Behaviour(
    "rings-all",
    "documented",
    "Dial rings all its numbers at once.",
    "xml/dial, nesting rules",
)
DEFAULT_CALLER = Behaviour(
    "default-caller",
    "documented",
    "Without callerId and callerName the dialled phones are shown the caller's own number and name.",
    "xml/dial callerId, callerName; xml/routing, defaults",
)
CONFIRM_SOUND = Behaviour(
    "confirm-sound",
    "documented",
    "An answered phone hears the confirmSound document first: Play, Speak and Wait of it, anything else is ignored.",
    "xml/dial confirmSound",
)
CONFIRM_LEG = Behaviour(
    "confirm-leg",
    "assumed",
    "The confirmSound request is about the dialled leg: CallUUID, From and To are its own, not the caller's.",
    "the page names no fields; the harder case for whoever answers it",
)
UNCONFIRMED = Behaviour(
    "unconfirmed",
    "assumed",
    "A phone that is answered and presses no confirmKey within confirmTimeout is hung up, and DialStatus is no-answer.",
    "no status is documented for it",
)
DIAL_ACTION = Behaviour(
    "dial-action",
    "documented",
    "When a Dial has ended its action receives DialStatus, DialRingStatus, DialHangupCause and both legs' UUIDs.",
    "use-cases/dial-status-reporting",
)
DIAL_TIMEOUT = Behaviour(
    "dial-timeout",
    "documented",
    "Nobody answering ends a Dial after its timeout, or after 120 seconds without one.",
    "xml/dial timeout; a published guide of Plivo's names the default",
)
HANGUP_ON_STAR = Behaviour(
    "hangup-on-star",
    "documented",
    "With hangupOnStar the caller's * ends the Dial and her call goes on; every other key is ignored there.",
    "xml/dial hangupOnStar",
)
STAR_STATUS = Behaviour(
    "star-status",
    "assumed",
    "A Dial that its caller ended by * while it rang has DialStatus=cancel.",
    "dial-status-reporting: cancel is 'canceled by the caller'",
)
CALLER_LEAVES_DIAL = Behaviour(
    "caller-leaves-dial",
    "contradicted",
    "A caller who hangs up during a Dial causes the hang-up webhook only, not the Dial's action.",
    "the page does not say; the open-source ancestor calls the action too: RoomRules.after_hangup",
)
RETRIED = Behaviour(
    "retried",
    "documented",
    "A failing webhook is sent again as its URL's fragment says: rc times, for the failures in rp (default ct,rt).",
    "concepts/callback-configurations; the fragment counts on confirmSound and waitSound too, not on Play",
)
SAME_BYTES_RETRIED = Behaviour(
    "same-bytes-retried",
    "assumed",
    "A retry is the same request, nonce and signature included.",
    "the page does not say",
)
UNREACHABLE_ENDS = Behaviour(
    "unreachable-ends",
    "documented",
    "A webhook that stays unanswered after its retries, or is not answered with 2xx, ends the call.",
    "errors 7011 (answer), 7012 (action, with redirect=true), 7014 (redirect); only the answer URL has a fallback",
)
FALLBACK = Behaviour(
    "fallback",
    "documented",
    "When the answer URL fails, the fallback answer URL is asked.",
    "account/api/application, fallback_answer_url",
)

BEHAVIOURS: tuple[Behaviour, ...] = tuple(value for value in vars().values() if isinstance(value, Behaviour))

IMITATED: dict[str, list[str]] = {}
"""Behaviour name -> the functions that imitate it."""


def imitates(*behaviours: Behaviour) -> Callable[[Imitation], Imitation]:
    """Notes on a function what it imitates, so that no behaviour is claimed without code."""

    def note(function: Imitation) -> Imitation:
        for behaviour in behaviours:
            IMITATED.setdefault(behaviour.name, []).append(function.__qualname__)
        return function

    return note
