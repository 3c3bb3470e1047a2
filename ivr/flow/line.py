"""The line's own sentences: what it says that no admin wrote into a flow. Each must stand in every language.

The names are what the prompts files have under `line:`; the sets are the gaps that must be filled. A new one is written
there and under `text:`, as it is to be read; unless it stands in ALIKE or in ONLY_BY_PHONE."""

LABELLED = frozenset({"label", "key"})
KEYED = frozenset({"key"})

SENTENCES: dict[str, frozenset[str]] = {
    # options
    "option": LABELLED,
    "next_option": LABELLED,
    "choose_language": frozenset({"name", "key"}),
    "code": LABELLED,
    "next_code": LABELLED,
    # always
    "any_time": frozenset({"0", "*", "9"}),
    "any_time_digits": frozenset({"0", "*", "9"}),
    "wrong_key": frozenset(),
    "silence": frozenset(),
    "silence_person": frozenset(),
    "silence_bye": frozenset(),
    "too_long": frozenset(),
    "trouble": frozenset(),
    "transfer": frozenset({"seconds"}),
    "holding": frozenset({"seconds"}),
    "holding_busy": frozenset({"seconds"}),
    "holding_pause": frozenset({"seconds"}),
    "holding_silent": frozenset({"0", "seconds"}),
    "dialling": frozenset({"seconds", "*"}),
    "connected": frozenset(),
    "alone": frozenset({"*"}),
    "confirm": KEYED,
    "trial": frozenset(),
    # forms
    "any_question": frozenset({"#"}),
    "more": frozenset({"#"}),
    "you_said": frozenset({"answers"}),
    "right": KEYED,
    "change": KEYED,
    "keep_or_change": frozenset({"answer", "#"}),
    "digits": frozenset({"#", "*"}),
    "digits_heard": frozenset({"digits"}),
    "digits_wrong": frozenset(),
    "saved": frozenset(),
    "not_saved": frozenset({"0"}),
    "not_saved.again": frozenset(),
    "not_saved.go_on": frozenset(),
    "nothing_saved": frozenset(),
    "request_saved": frozenset({"n"}),
    "saved_before": frozenset(),
    "later": frozenset(),
    "what_is_kept": frozenset(),
    "consent": frozenset(),
    "consent.count_only": frozenset(),
    "consent.warn_others": frozenset(),
    "consent.pass_on": frozenset(),
    "consent_skip": frozenset(),
    "receipt": frozenset({"receipt"}),
    "receipt_try": KEYED,
    "receipt_practice": KEYED,
    "receipt_onward": frozenset({"#"}),
    "practice_ask": frozenset(),
    "practice_right": frozenset(),
    "practice_wrong": frozenset(),
    "adding": frozenset(),
    "added": frozenset(),
    "added_before": frozenset(),
    # texts
    "person_by_phone": frozenset({"number"}),
    "nobody_by_phone": frozenset({"number"}),
    "call_number": frozenset({"number"}),
    "text_trouble": frozenset({"number"}),
    "text_busy": frozenset({"number"}),
    "text_changed": frozenset(),
    "text_forget": frozenset(),
    "text_emergency": frozenset({"number", "0"}),
    # receipts
    "receipt_ask": frozenset(),
    "digits_more": frozenset({"digits", "*"}),
    "receipt_wrong": frozenset(),
    "receipt_no": frozenset({"0"}),
    "receipt_moment": frozenset(),
    "receipt_crowded": frozenset(),
    "receipt_not_now": frozenset(),
    "receipt_unsure": frozenset(),
    "receipt_found": frozenset(),
    "receipt_other": frozenset({"0"}),
    "receipt.status": frozenset(),
    "receipt.add": frozenset(),
    "receipt.consent": frozenset(),
    "receipt.withdraw": frozenset(),
    "receipt_sure": frozenset(),
    "receipt_sure_again": frozenset(),
    "receipt_delete": KEYED,
    "receipt_keep": KEYED,
    "receipt_withdrawn": frozenset(),
    "consent_changed": frozenset(),
    "status.new": frozenset(),
    "status.confirmed": frozenset(),
    "status.taken_back": frozenset(),
    "status_consent": frozenset({"consent"}),
    # those who answer callers
    "connecting": frozenset(),
    "taken_already": frozenset(),
    "caller_left": frozenset(),
    "about": frozenset({"name", "seconds"}),
    "about_nothing": frozenset(),
    "about_finished": frozenset(),
    "about_request": frozenset(),
    "about_told": frozenset({"told"}),
    "pin_unknown": frozenset(),
    "pin_closed": frozenset(),
    "moment": frozenset({"day", "clock"}),
    "staff_trouble": frozenset(),
    "staff_keys": frozenset({"0", "*"}),
    "on_call": frozenset(),
    "on_call_until": frozenset({"time"}),
    "off_call": frozenset(),
    "off_call_until": frozenset({"time"}),
    "next_on_call": frozenset({"name", "time"}),
    "next_nobody": frozenset(),
    **{f"weekday.{day}": frozenset() for day in range(7)},
}

HOLDING = {
    "ringing": "line.holding",
    "busy": "line.holding_busy",
    "paused": "line.holding_pause",
    "silent": "line.holding_silent",
}
"""What somebody waits for -> what they hear meanwhile."""

RECEIPT_DIGITS = 12

ALIKE = frozenset(
    {
        "silence_person",
        "you_said",
        "saved",
        "not_saved.again",
        "not_saved.go_on",
        "nothing_saved",
        "saved_before",
        "consent",
        "consent.count_only",
        "consent.warn_others",
        "consent.pass_on",
        "consent_skip",
        *("request_saved", "adding", "added", "added_before", "practice_right", "practice_wrong"),
        *("receipt_wrong", "receipt_crowded", "receipt_not_now", "receipt_unsure"),
        *("receipt_found", "receipt_withdrawn", "consent_changed"),
        *("receipt.status", "receipt.add", "receipt.consent", "receipt.withdraw"),
        *("receipt_sure", "receipt_sure_again"),
        *(
            "person_by_phone",
            "nobody_by_phone",
            "call_number",
            "text_trouble",
            "text_busy",
            "text_changed",
            "text_forget",
            "text_emergency",
        ),
        *("status.new", "status.confirmed", "status.taken_back", "status_consent"),
    }
)
"""Read as well as heard: a text says them in the same words, unless `text:` has others."""

ONLY_BY_PHONE: dict[str, str] = {
    "silence": "a text may be answered whenever she likes",
    **dict.fromkeys(
        ("transfer", "holding", "holding_busy", "holding_pause", "holding_silent", "dialling", "connected", "alone"),
        "phones ring while a caller holds the line",
    ),
    **dict.fromkeys(
        (
            *("confirm", "trial", "connecting", "taken_already", "caller_left"),
            *("about", "about_nothing", "about_finished", "about_request", "about_told"),
        ),
        "it is heard by somebody whose phone was rung",
    ),
    **dict.fromkeys(
        (
            *("pin_unknown", "pin_closed", "moment", "staff_trouble", "staff_keys"),
            *("on_call", "on_call_until", "off_call", "off_call_until", "next_on_call", "next_nobody"),
            *(f"weekday.{day}" for day in range(7)),
        ),
        "those who answer callers hear of their shifts by phone",
    ),
}
"""Sentence -> why no text ever says it."""

WRITTEN = tuple(name for name in SENTENCES if name not in ALIKE and name not in ONLY_BY_PHONE)
"""Sentences that speak of keys, of hearing or of the call: each needs a wording of its own for texts."""

KEYS_WITH_WORDS = frozenset({"9", "*", "#"})
"""Keys that a text may leave out, or tell by a word of WORDS; {0}, a person, it may not."""

WORDS = ("start", "menu", "back", "skip", "leave")
"""What has a word of its own in texts. `start` begins in the language that it belongs to; `back` is the key * and
`skip` the key #."""

MORE_WORDS = ("help",)
"""What may have one: HELP itself is understood in every language."""

STOPPING = frozenset(
    {"STOP", "STOP ALL", "STOPALL", "END", "QUIT", "CANCEL", "UNSUBSCRIBE", "UNSUB", "REVOKE", "OPT OUT"}
)
JOINING = frozenset({"START", "YES", "RESUME", "RESUME ALL", "UNSTOP", "GO"})
HELPING = frozenset({"HELP", "INFO"})
CARRIERS = STOPPING | JOINING | HELPING
"""Words that the phone company keeps for itself and answers (Plivo, US and Canadian long codes; those that join only
where somebody had stopped it before). After those that stop, nothing may be sent any more; some of them stand in the
law only (47 CFR 64.1200(a)(10)). Whoever writes another of them is answered by the line too: the phone company tells
her what texts cost, and does so in two countries only."""

OUTCOMES = ("helped", "referred", "hung_up")
"""What can be counted of a talk."""

CONSENTS = ("count_only", "warn_others", "pass_on")
"""The grades of use, the least first."""

REQUEST = "request"
"""What stands in the place of a use where somebody only asks to be called."""
