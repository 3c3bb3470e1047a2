"""Something that is needed is not there.

Why: The line cannot guess it for you.

Example:

    person: { transfer: advocates, ring: [ { on_call: 25s } ], next: after_talk }     # nobody: is missing

Cure: Add the line that is named.
"""

from ivr.flow.diagnostics import Diagnostic, Place, listed

_LIKE = {
    "always": "always: { 0: STEP, 9: STEP }",
    "at": "at: 2027-03-13 23:55",
    "call": "call:",
    "consent": "consent: [count_only, warn_others, pass_on]",
    "flow": "flow: hotline",
    "keep_for": "keep_for: 90 days",
    "keys": 'keys: { "0": zero, "9": nine, "*": star, "#": pound }',
    "kind": "kind: report",
    "language": "language: en",
    "languages": "languages: [en, es]",
    "line": "line:",
    "prompts": "prompts:",
    "questions": "questions:",
    "ring": "ring: [ { on_call: 25s }, { backup: 25s } ]",
    "save_after": "save_after: QUESTION",
    "speech": "speech: 45s",
    "steps": "steps:",
    "text": "text:",
    "voice": "voice: Polly.Joanna",
    "words": "words: { start: VOICE, menu: MENU, ... }",
    "zone": "zone: America/New_York",
}
_STEPS = ("0", "9", "no", "nobody", "offered", "passed", "start", "taken", "yes")
_STAFF = "staff.yaml"


def found(*fields: str, owner: str, place: Place) -> Diagnostic:
    """What an owner ("The step `main`") needs and does not have."""
    like = {**_LIKE, "flow": "flow: staff"} if place.file.endswith(_STAFF) else _LIKE
    like = {**like, "keep_for": "keep_for: 72 hours"} if owner.startswith("The request") else like
    lines = [like.get(field) or (f"{field}: STEP" if field in _STEPS else f"{field}: ...") for field in fields]
    return Diagnostic(place, "missing-field", f"{owner} needs {listed(fields)}.", f"Add {listed(lines, most=3)}.")
