"""R3: whatever breaks behind the signature, the answer is 200 and a document that speaks; never silence."""

import asyncio
from pathlib import Path

import pytest
from starlette.routing import Router

from ivr.app import Parts, WorldOf, build
from ivr.carrier.documents import Dial, GetDigits, GetInput, Hangup, Redirect, read
from ivr.carrier.loopback import PhoneCall
from ivr.channels.voice import Voice
from ivr.engine.effects import Turn
from ivr.kit.clock import VirtualClock
from ivr.line.staff import EMPTY
from tests.promises.canary import identity
from tests.promises.faults import FAULTS, Fault, struck
from tests.promises.house import ON_DUTY, house, logs_captured
from tests.promises.ledger import Record
from tests.shipped import flow

SORRY = tuple(flow().catalogues[language].prompts["line.trouble"].many.text for language in flow().languages)


def failing(fault: Fault, folder: Path, blank: Path, **changes: object) -> tuple[list[PhoneCall], bytes]:
    async def main() -> list[PhoneCall]:
        async with struck(fault, folder, blank, fields=identity(1), **changes) as (_, calls):
            return calls

    with logs_captured() as log:
        return asyncio.run(main()), log()


def silences(calls: list[PhoneCall], *, sorry: bool) -> list[str]:
    """Every answer that is not 200 and a document that Plivo knows and a caller hears; and apologies that are owed."""
    found, said = [], b""
    for exchange in (exchange for call in calls for exchange in call.exchange):
        assert exchange.reply is not None
        said += exchange.reply.body
        if exchange.reply.status != 200:
            found.append(f"{exchange.reply.status} from {exchange.url}")
            continue
        document = read(exchange.reply.body, exchange.reply.content_type)
        goes_on = any(isinstance(one, GetInput | GetDigits | Dial | Redirect | Hangup) for one in document)
        if not goes_on and not exchange.url.endswith(("/hangup", "/confirm")):
            found.append(f"silence from {exchange.url}")
    if sorry:
        found += [f"never said: {one}" for one in SORRY if one.encode() not in said]
        found += [f"never rung: {one}" for one in ON_DUTY if f"<Number>{one}</Number>".encode() not in said]
    return found


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_answered_with_a_document_that_speaks(
    fault: Fault, tmp_path: Path, blank: Path, record: Record
) -> None:
    calls, log = failing(fault, tmp_path / "line", blank)
    record(1, "faults")
    record(sum(len(call.exchange) for call in calls), "webhooks answered meanwhile")
    assert silences(calls, sorry=fault.apologises) == []
    assert b"Traceback" not in log


class Speechless(Voice):
    """Has no words for an apology."""

    def encode(self, turn: Turn, token: str) -> bytes:
        if any(said.prompt == "line.trouble" for said in turn.said):
            return EMPTY
        return super().encode(turn, token)


def _speechless(parts: Parts, clock: VirtualClock, world: WorldOf) -> Router:
    return build(parts, clock, world, voice=Speechless)


def test_mutant_a_line_that_falls_silent_at_a_fault_is_seen(tmp_path: Path, blank: Path) -> None:
    lost = next(fault for fault in FAULTS if fault.name == "the keys have expired")
    calls, _ = failing(lost, tmp_path / "line", blank, builder=_speechless)
    assert any(found.startswith("silence") for found in silences(calls, sorry=True))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.apologises], ids=lambda fault: fault.name)
def test_with_nobody_on_duty_an_apology_leads_on_all_the_same(fault: Fault, tmp_path: Path, blank: Path) -> None:
    calls, _ = failing(fault, tmp_path / "line", blank, on_duty=())
    sorry = [
        read(exchange.reply.body, exchange.reply.content_type)
        for call in calls
        for exchange in call.exchange
        if exchange.reply is not None and SORRY[0].encode() in exchange.reply.body
    ]
    assert all(isinstance(document[-1], Redirect) for document in sorry)
    assert not any(isinstance(element, Dial) for document in sorry for element in document)


def test_phones_never_ring_unannounced_because_she_was_in_a_hurry_before(tmp_path: Path, blank: Path) -> None:
    async def main() -> None:
        async with house(tmp_path / "line", blank=blank) as of:
            rosa = await of.line().call()
            await rosa.press("1")
            await rosa.press("0")
            of.mood.nobody = True
            await rosa.press("#")
            of.mood.nobody = False
            await rosa.press("0")
            assert rosa.heard

    asyncio.run(main())
