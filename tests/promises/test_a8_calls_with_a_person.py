"""A8, of calls with a person: whatever is said to those who answer, and whatever is asked of the phone company. Every
wait of their flow with every key and every answer of the world, in both languages; every request of every scene."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from ivr.carrier.documents import read
from ivr.channels.voice import Addresses, Voice
from ivr.engine.effects import HandOver, Hold, Meet
from ivr.flow.graph import Flow
from tests.promises import documents, orders
from tests.promises.house import HOTLINE, PUBLIC_URL
from tests.promises.ledger import Record
from tests.promises.paths import KEYS
from tests.promises.scenes import hangs_up_ringing
from tests.promises.spoken import EFFECTS, every_turn
from tests.promises.warm import ACCOUNT, Asked, Warm, played, saying
from tests.shipped import flow, staff

ROOT = Path(__file__).parent.parent.parent
TOKEN = "t" * 344
CALLERS = Addresses(PUBLIC_URL, HOTLINE, "Porchlight")
STAFF = replace(CALLERS, door="staff")
DOORS = ((flow(), CALLERS), (staff(), STAFF))


def everything(of: Flow, at: Addresses) -> Iterator[bytes]:
    """Each document of a flow, and those for which no flow is asked."""
    voice = Voice(of, at)
    yield from (voice.encode(turn, TOKEN) for turn in every_turn(of))
    yield from (voice.sorry(), voice.trial(), voice.trouble(TOKEN, ("+15005550021",), 20))


@pytest.fixture(scope="module")
def said() -> set[bytes]:
    return {document for of, at in DOORS for document in everything(of, at)}


def test_every_wait_and_every_thing_that_is_done_is_among_what_is_looked_at() -> None:
    """Of the callers' flow what is about a person; every other wait of it is gone through call by call."""
    for of, _ in DOORS:
        assert {Hold, Meet, HandOver} <= {type(turn.then) for turn in every_turn(of)}
    waited = {(turn.call.step, turn.call.language) for turn in every_turn(staff())}
    assert {(wait.name, language) for wait in staff().waits() for language in staff().languages} <= waited
    assert {type(turn.then) for of, _ in DOORS for turn in every_turn(of)} == EFFECTS
    assert len(KEYS) == 12


def test_every_document_of_either_flow_keeps_to_every_rule(said: set[bytes], record: Record) -> None:
    record(len(said), "documents of either flow, with every answer of the world")
    assert len(said) > 300
    for document in said:
        read(document, "application/xml")
    assert {(wrong, document[:300]) for document in said for wrong in documents.complaints("", document)} == set()


def test_every_document_of_a_call_that_was_carried_out_keeps_to_every_rule(warm: Warm, record: Record) -> None:
    replies = {hop.reply for hop in warm.hops if not documents.is_sound(hop.path)}
    record(len(replies), "documents of calls with a person")
    assert sum(b"<Conference" in reply for reply in replies) >= 8
    assert {(wrong, one[:300]) for one in replies for wrong in documents.complaints("", one)} == set()


def test_every_request_keeps_to_every_rule(warm: Warm, record: Record) -> None:
    record(len(warm.asked), "requests to the phone company")
    assert len(warm.asked) > 40
    assert {wrong for asked in warm.asked for wrong in orders.complaints(asked)} == set()


def test_every_phone_that_rang_showed_the_hotline(warm: Warm) -> None:
    assert {one.replace("+", "") for one in warm.shown} == {f"{HOTLINE} Porchlight".replace("+", "")}


def test_nothing_in_the_source_asks_for_a_recording_or_listens_for_machines() -> None:
    """But for what imitates the phone company, which knows both to refuse them."""
    for path in sorted((ROOT / "ivr").rglob("*.py")):
        text = path.read_text("utf-8")
        assert "machine_detection" not in text, path
        if path.parent.name != "carrier":
            assert re.findall(r"RecordElement|add_record|record_session|record\w*\s*=\s*True", text) == [], path


# ---- mutants: each must be caught ----


@pytest.mark.parametrize("mutant", documents.STAFF_MUTANTS)
def test_mutant_a_document_for_those_who_answer_that_breaks_a_rule_is_seen(mutant: str) -> None:
    rule, before, after = documents.STAFF_MUTANTS[mutant]
    broken = {re.sub(before, after, one.decode(), flags=re.DOTALL).encode() for one in everything(staff(), STAFF)}
    assert rule in {name for document in broken for name, _ in documents.complaints("", document)}


def test_every_rule_has_its_mutant() -> None:
    mutated = {rule for rule, *_ in (*documents.MUTANTS.values(), *documents.STAFF_MUTANTS.values())}
    assert mutated == set(documents.RULES)
    assert {rule for rule, _ in orders.MUTANTS.values()} | {"asks nothing else"} == set(orders.RULES)


@pytest.mark.parametrize("mutant", orders.MUTANTS)
def test_mutant_a_request_that_breaks_a_rule_is_seen(mutant: str, tmp_path: Path, blank: Path) -> None:
    rule, changes = orders.MUTANTS[mutant]
    bent: list[Asked] = []

    def bend(request: httpx2.Request) -> httpx2.Request:
        other = saying(request, **changes)
        bent.append(Asked(other.method, str(other.url), (), other.content))
        return request  # the exchange would not take some of it

    asyncio.run(played(tmp_path, blank, hangs_up_ringing, bend=bend))
    assert rule in {name for asked in bent for name, _ in orders.complaints(asked)}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "Call/"),
        ("POST", "Call/0d1b24f0-58b7-11e1-86da-77300b68f8bb/Record/"),
        ("POST", "Conference/5ad0c1f3e8b94b7d90a1c2e3/Record/"),
        ("POST", "Conference/12125550100/Member/all/Kick/"),
        ("DELETE", "Conference/5ad0c1f3e8b94b7d90a1c2e3/"),
        ("GET", "Call/"),
        ("POST", "Message/"),
    ],
)
def test_mutant_a_request_that_nobody_needs_is_seen(method: str, path: str) -> None:
    asked = Asked(method, f"https://api.plivo.example/v1/Account/{ACCOUNT}/{path}", (), b"")
    assert "asks nothing else" in {name for name, _ in orders.complaints(asked)}
