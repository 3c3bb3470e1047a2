"""A8: nothing is recorded, an advocate's phone shows nothing of a caller, the carrier logs no digits; and, of the same
documents, what every wait owes its caller."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.routing import Router

from ivr.app import Parts, WorldOf, build
from ivr.carrier.documents import read
from ivr.channels.voice import Voice
from ivr.engine.effects import Turn
from ivr.flow.compiler import compile_flow
from ivr.flow.graph import Choose
from ivr.flow.keys import Pass
from ivr.kit.clock import VirtualClock
from tests.flow.broken import sound
from tests.promises.documents import CONFIRM, MUTANTS, RULES, complaints
from tests.promises.evidence import Evidence
from tests.promises.house import BEGINNING, ON_DUTY, house
from tests.promises.ledger import Record
from tests.promises.paths import KEYS, Cover, Walker, cover, everything, labels
from tests.shipped import flow


def test_the_calls_take_every_edge_of_the_compiled_graph(paths: Cover, evidence: Evidence) -> None:
    assert paths.left == set()
    assert evidence.mismatches == []
    assert evidence.calls == len(paths.calls)
    assert evidence.statuses == {200}
    for wait in flow().waits():
        assert {*(KEYS if isinstance(wait, Choose) else ()), "silence", "hang up"} <= set(labels(wait))


def test_every_document_is_one_that_plivo_documents(evidence: Evidence, record: Record) -> None:
    record(len(evidence.documents), "documents")
    for _, document in evidence.documents:
        read(document, "application/xml")


@pytest.mark.parametrize("rule", RULES)
def test_every_document_on_every_path_keeps_to_the_rule(rule: str, evidence: Evidence, record: Record) -> None:
    record(1, "rules that every document keeps to")
    assert len(evidence.documents) > 300
    broken = {
        (address, wrong, document[:300])
        for address, document in evidence.documents
        for name, wrong in complaints(address, document)
        if name == rule
    }
    assert not broken


def test_what_an_advocate_s_phone_hears_is_one_document_for_every_call(evidence: Evidence) -> None:
    assert len({document for address, document in evidence.documents if address == CONFIRM}) == 1


def test_a_dial_is_the_same_for_every_caller(evidence: Evidence) -> None:
    """Save for where the call goes on, and how long it may still last: neither is told to the phones that ring; and for
    which of the phones may ring now."""
    dials = {dial for _, document in evidence.documents for dial in re.findall(rb"<Dial .*?</Dial>", document)}
    bare = {re.sub(rb' (action|timeLimit)="[^"]*"|<Number>.*?</Number>', b"", dial) for dial in dials}
    assert len(bare) == 1
    rung = {number for dial in dials for number in re.findall(rb"<Number>(.*?)</Number>", dial)}
    assert rung == {number.encode() for number in ON_DUTY}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutant_a_document_that_breaks_a_rule_is_seen(mutant: str, tmp_path: Path, blank: Path) -> None:
    rule, before, after = MUTANTS[mutant]
    said: list[bytes] = []

    class Mutant(Voice):
        """Says what it should, and notes what the mutant would have said: a carrier would hang up on some of it."""

        def encode(self, turn: Turn, token: str) -> bytes:
            document = super().encode(turn, token)
            said.append(re.sub(before, lambda _: after, document.decode(), flags=re.DOTALL).encode())
            return document

    def mutated(parts: Parts, clock: VirtualClock, world: WorldOf) -> Router:
        return build(parts, clock, world, voice=Mutant)

    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, builder=mutated) as of:
            rosa = await of.line().call()
            for keys in ("1", "1", "1", "4", "#", "1", "1", "0", "5"):
                await rosa.press(keys)
            await rosa.dial_ends("completed")
            await rosa.press("9")

    asyncio.run(main())
    assert rule in {name for document in said for name, _ in complaints("/voice/keys", document)}


def test_mutant_a_step_that_no_call_reaches_is_seen() -> None:
    """In a small flow: to know that there is no path, every one is walked."""
    small = compile_flow(sound()).flow
    assert small is not None
    grown = replace(small, steps={**small.steps, "orphan": Choose("orphan", (), (), Pass())})
    new = everything(grown) - everything(small)
    assert new
    assert cover(Walker(grown, BEGINNING, opens=True), new).left == new
