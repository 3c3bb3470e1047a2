"""The line's own sentences: what it says that no admin wrote into a flow. Each must stand in every language.

The names are what the prompts files have under `line:`; the sets are the gaps that must be filled."""

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
    "dialling": frozenset({"seconds", "*"}),
    "connected": frozenset(),
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
    # those who answer callers
    "connecting": frozenset(),
    "taken_already": frozenset(),
    "caller_left": frozenset(),
    "about": frozenset({"name", "seconds"}),
    "about_nothing": frozenset(),
    "about_finished": frozenset(),
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

OUTCOMES = ("helped", "referred", "hung_up")
"""What can be counted of a talk."""

CONSENTS = ("count_only", "warn_others", "pass_on")
"""The grades of use, the least first."""
