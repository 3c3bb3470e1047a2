"""What the exchange imitates of Plivo beside one call: phones that are rung, conferences, the REST interface. What is
assumed is a checklist for one supervised live call."""

from ivr.carrier.behaviours import Behaviour

OUTBOUND_FIELDS = Behaviour(
    "outbound-fields",
    "documented",
    "A phone that was rung tells Direction=outbound, ALegUUID, RequestUUID, To its own number, From the caller id.",
    "xml/request; account/api/application; public signature vectors, where the four ids are one",
)
OUTBOUND_ANSWER = Behaviour(
    "outbound-answer",
    "documented",
    "A rung phone that is answered posts Event=StartApp with CallStatus=in-progress to the answer URL of the request.",
    "api/call/make-a-call answer_url",
)
OUTBOUND_ENDS = Behaviour(
    "outbound-ends",
    "documented",
    "The hangup URL of the request hears completed, busy, failed, no-answer or cancel, and the cause.",
    "account/api/application CallStatus; troubleshooting/hangup-causes",
)
RING_TIMEOUT = Behaviour(
    "ring-timeout",
    "assumed",
    "A phone rings for ring_timeout seconds, counted from when it begins to ring and not from the request.",
    "the page does not say from when; requests are queued",
)
DECLINED = Behaviour(
    "declined",
    "assumed",
    "A phone whose owner declines ends as CallStatus=busy with HangupCause=CALL_REJECTED.",
    "3020 Rejected is documented, its CallStatus is not",
)
TIME_LIMIT = Behaviour(
    "time-limit",
    "documented",
    "time_limit seconds after it was answered a call ends, whatever it does.",
    "api/call/make-a-call time_limit",
)
SHOWN = Behaviour(
    "shown",
    "documented",
    "A rung phone shows `from` and `caller_name` of the request.",
    "api/call/make-a-call from, caller_name",
)
QUEUED = Behaviour(
    "two-a-second",
    "documented",
    "Two requested calls begin in a second; further ones wait for their turn. A Dial is not among them.",
    "support pages on calls per second",
)
TEN_A_SECOND = Behaviour(
    "ten-a-second",
    "documented",
    "Of calls that come in, ten begin in a second; further ones hear a busy tone (SIP 486).",
    "support pages on calls per second; that no webhook tells of the others is assumed",
)
CANCELLED = Behaviour(
    "request-cancelled",
    "assumed",
    "DELETE Request ends a call that is queued or rings (204); one that was answered, or is over, is not found (404).",
    "the page names no answer for a call that was answered",
)
HUNG_UP = Behaviour(
    "call-hung-up",
    "documented",
    "DELETE Call ends a call, answered or not (204).",
    "api/call/hangup-a-call; hangup cause 1000; that one which is over is not found (404) is assumed",
)
EVERY_CALL = Behaviour(
    "every-call-hung-up",
    "documented",
    "DELETE Call without an id ends every call of the account.",
    "api/call/hangup-all-calls",
)
KICKED = Behaviour(
    "kicked",
    "documented",
    "A member who is kicked out of a conference goes on with the element after it.",
    "api/conference/kick-a-member; that no action is called first is assumed: RoomRules.kicked",
)
STARTS_ON_ENTER = Behaviour(
    "starts-on-enter",
    "documented",
    "A conference begins when a member with startConferenceOnEnter enters; until then members wait and hear nobody.",
    "xml/conference startConferenceOnEnter",
)
ENDS_ON_EXIT = Behaviour(
    "ends-on-exit",
    "assumed",
    "When a member with endConferenceOnExit leaves, everybody else leaves too; other members' wishes do not count.",
    "the page does not say whose attribute counts: RoomRules.ends",
)
ALONE = Behaviour(
    "alone",
    "contradicted",
    "stayAlone=true keeps a member who is alone; false sends out whoever is left alone, but not the first who enters.",
    "the page says only that the conference ends; a sibling of Plivo's sends out the first at once, the open-source"
    " ancestor does not: RoomRules.alone, RoomRules.sent_out",
)
WAIT_SOUND = Behaviour(
    "wait-sound",
    "assumed",
    "Who is alone, or waits for a conference to begin, hears Play, Speak and Wait of waitSound over and over.",
    "what is allowed in it is documented; not that it is heard also after the other one has left, nor that it is"
    " fetched once",
)
FULL_IS_SKIPPED = Behaviour(
    "full-is-skipped",
    "contradicted",
    "A conference that has maxMembers already is skipped: the next element runs, no action is called.",
    "the page does not say; the open-source ancestor calls the action, with empty ids: RoomRules.full",
)
CONFERENCE_ACTION = Behaviour(
    "conference-action",
    "contradicted",
    "Who leaves a conference, but for hanging up, has her action called: Event=Redirect, ConferenceName, its ids.",
    "the fields are documented; the open-source ancestor calls it after a hang-up too: RoomRules.after_hangup",
)
CONFERENCE_CALLBACK = Behaviour(
    "conference-callback",
    "documented",
    "callbackUrl hears ConferenceAction enter and exit, with name, ids and whether she is the first or the last.",
    "xml/conference callbackUrl; a published guide of Plivo's names the fields",
)
STAR_LEAVES = Behaviour(
    "star-leaves",
    "documented",
    "With hangupOnStar a member leaves by *, and her call goes on.",
    "xml/conference hangupOnStar",
)
RELAYED = Behaviour(
    "relayed",
    "documented",
    "Unless relayDTMF is false the others hear a member's keys.",
    "xml/conference relayDTMF",
)
CONFERENCE_TIME_LIMIT = Behaviour(
    "conference-time-limit",
    "contradicted",
    "timeLimit counts from when a member enters, and sends only her out.",
    "the page says 'max conference duration'; in the open-source ancestor it may end the room: RoomRules.limit",
)
CONFIRM_RINGS_ON = Behaviour(
    "confirm-rings-on",
    "assumed",
    "While one who answered a Dial has not confirmed, the other phones go on ringing.",
    "the page does not say",
)
REQUESTED = Behaviour(
    "requested",
    "documented",
    "POST Call/ is answered with 201 and a request_uuid before anything rings.",
    "api/call/make-a-call",
)
CREDENTIALS = Behaviour(
    "credentials",
    "documented",
    "Without the account's id and token in Basic authentication the REST interface answers 401.",
    "api/overview, authentication",
)
NUMBER_REFUSED = Behaviour(
    "number-refused",
    "assumed",
    "A number that is none is answered with 400, and nothing rings.",
    "400 is documented for bad requests, not which numbers are bad",
)

BEHAVIOURS: tuple[Behaviour, ...] = tuple(value for value in vars().values() if isinstance(value, Behaviour))
