"""What every request to the phone company must be like: one rule, one function, and a mutant for each."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.promises.documents import LONGEST_RING, LONGEST_TALK, PATIENT
from tests.promises.house import HOTLINE
from tests.promises.warm import Asked

KNOWN = {
    "POST": r"Call/|Conference/[0-9a-f]{24}/Member/all/Kick/",
    "DELETE": r"(Call|Request)/[0-9a-f-]{36}/",
}

Body = dict[str, Any]  # Any: JSON
Rule = Callable[[Asked, Body], Iterator[str]]


def asks_nothing_else(asked: Asked, body: Body) -> Iterator[str]:
    """Calls are placed and ended, one by one: nothing is recorded, played or told by a request, and nobody's call is
    ended but one that the line placed."""
    path = re.sub(r"https://[^/]+/v1/Account/[A-Z0-9]{20}/", "", asked.url)
    if not re.fullmatch(KNOWN.get(asked.method, "-"), path):
        yield f"{asked.method} {path}"
    if not path.startswith("Call/") and body:
        yield f"{path} says {sorted(body)}"
    known = {"from", "to", "answer_url", "answer_method", "hangup_url", "hangup_method", "caller_name"}
    known |= {"ring_timeout", "time_limit"}
    yield from (f"a call says {name}" for name in sorted(set(body) - known))


def phones_show_the_hotline(asked: Asked, body: Body) -> Iterator[str]:
    if asked.method == "POST" and body and (body.get("from"), body.get("caller_name")) != (HOTLINE, "Porchlight"):
        yield f"a phone shows {body.get('from')}, {body.get('caller_name')}"


def nobody_listens_for_machines(_asked: Asked, body: Body) -> Iterator[str]:
    yield from (name for name in body if "machine" in name)


def nothing_is_recorded(asked: Asked, body: Body) -> Iterator[str]:
    yield from (name for name in (*body, asked.url.lower()) if "record" in name)


def calls_have_an_end(_asked: Asked, body: Body) -> Iterator[str]:
    for name, most in (("time_limit", LONGEST_TALK), ("ring_timeout", LONGEST_RING)):
        if body and not 1 <= int(body.get(name, 0)) <= most:
            yield f"{name} is {body.get(name)}"


def one_phone_at_a_time(_asked: Asked, body: Body) -> Iterator[str]:
    if body and not re.fullmatch(r"\+[0-9]{7,15}", body["to"]):
        yield f"it rings {body['to']}"


def addresses_are_patient(_asked: Asked, body: Body) -> Iterator[str]:
    for name in ("answer_url", "hangup_url") if body else ():
        url = body.get(name, "")
        if not url.startswith("https://line.example.org/staff/") or not url.endswith(PATIENT) or url.count("#") != 1:
            yield f"{name} is {url}"
        if body.get(name.replace("url", "method")) != "POST":
            yield f"{name} is not signed"


RULES: dict[str, Rule] = {
    "asks nothing else": asks_nothing_else,
    "phones show the hotline": phones_show_the_hotline,
    "nobody listens for machines": nobody_listens_for_machines,
    "nothing is recorded": nothing_is_recorded,
    "calls have an end": calls_have_an_end,
    "one phone at a time": one_phone_at_a_time,
    "addresses are patient": addresses_are_patient,
}

Changes = dict[str, str | None]

MUTANTS: dict[str, tuple[str, Changes]] = {
    "a call that says who is talked about": ("asks nothing else", {"sip_headers": "Caller=1"}),
    "a call that shows another number": ("phones show the hotline", {"from": "+12125550100"}),
    "a call without a name": ("phones show the hotline", {"caller_name": None}),
    "a call that shows another name": ("phones show the hotline", {"caller_name": "ROSA"}),
    "a call that listens for machines": ("nobody listens for machines", {"machine_detection": "true"}),
    "a call that hangs up on machines": ("nobody listens for machines", {"machine_detection": "hangup"}),
    "a call that is recorded": ("nothing is recorded", {"record": "true"}),
    "a call of Plivo's length": ("calls have an end", {"time_limit": None}),
    "a call that rings for Plivo's two minutes": ("calls have an end", {"ring_timeout": None}),
    "a call to two": ("one phone at a time", {"to": "+15005550021<+15005550022"}),
    "an answer without a fragment": (
        "addresses are patient",
        {"answer_url": "https://line.example.org/staff/offered/1"},
    ),
    "an end without a fragment": ("addresses are patient", {"hangup_url": "https://line.example.org/staff/over/1"}),
    "an end that nobody is told": ("addresses are patient", {"hangup_url": None}),
    "an end that is not signed": ("addresses are patient", {"hangup_method": "GET"}),
}
"""Name -> (the rule that must see it, what is said otherwise)."""


def complaints(asked: Asked) -> set[tuple[str, str]]:
    """(rule, what is wrong) for one request."""
    body = json.loads(asked.body) if asked.body else {}
    return {(name, wrong) for name, rule in RULES.items() for wrong in rule(asked, body)}
