"""S1: a webhook that was captured, signature and all, and is sent again changes nothing and rings nobody: within the
life of live rows, after it, and for as long as its token opens."""

import asyncio
import dataclasses
import re
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ivr.app import build
from ivr.carrier.fields import encode_form
from ivr.carrier.party import Party
from ivr.carrier.phones import Answers, Fails
from ivr.carrier.rest import Order
from ivr.carrier.signature import NONCE
from ivr.channels.voice import Addresses
from ivr.kit.clock import VirtualClock
from ivr.line import trial
from ivr.line.edge import CALLERS, Edge, NewCall, Resumed, Seal, Webhook
from ivr.services import rota
from ivr.store import live
from ivr.store.live import milliseconds
from ivr.vault.tokens import token_keys
from tests.promises.house import BEGINNING, HOTLINE, PUBLIC_URL, House, house
from tests.promises.ledger import Record
from tests.promises.passing import WEBHOOKS, Fickle, route_of, walk
from tests.promises.replaying import Forgets, Tape, as_the_line_does, at_rest
from tests.promises.requests import FORM, Request, request_of, send
from tests.promises.scenes import SCENES, asleep, met, staff_line, takes
from tests.promises.warm import ANA, Scene, Stage, settled, staged, words

pytestmark = pytest.mark.timeout(300)


# ---- more scenes ----


async def talks_long(stage: Stage) -> None:
    """For half an hour. Whoever took the call leaves first; the caller then wants somebody else."""
    since = asleep(stage)
    rosa = await stage.rosa("1", "0")
    ana = await stage.rings(ANA, since=since)
    await stage.presses(ana, "1")
    await met(stage)
    await stage.exchange.run(30 * 60)
    await ana.hang_up()
    await stage.exchange.run(10)
    await stage.presses(rosa, "0")
    await stage.exchange.run(70)


async def comes_back(stage: Stage) -> None:
    """Somebody reports, and calls again: hears how it stands, adds to it, allows it for more, deletes it."""
    rosa = await stage.rosa("1", "1", "1", "4", "#", "1", "1")
    while not (told := _receipt_in(stage.wire.hops[-1].reply)):
        await _slowly(stage, rosa, "#")
    await rosa.hang_up()
    luz = await stage.rosa("1", "2", f"{told}#")
    await _slowly(stage, luz, "1", "2", "1", "1", "#", "1", "1", "#")
    while b"change how we may use it" not in stage.wire.hops[-1].reply:
        await _slowly(stage, luz, "*")
    await _slowly(stage, luz, "3", "3", "4", "1", "2")
    assert b"Your report is deleted" in stage.wire.hops[-1].reply


async def _slowly(stage: Stage, party: Party, *keys: str) -> None:
    """Where a number is asked for, a key counts only after a pause."""
    for key in keys:
        await stage.presses(party, key)
        await stage.exchange.run(4)


def _receipt_in(document: bytes) -> str:
    found = re.search(r"Your receipt number, to come back to this report:([ ,0-9]+)", words(document))
    return "".join(re.findall(r"\d", found[1])) if found else ""


async def tries_a_phone(stage: Stage) -> None:
    """It cannot be reached; half a minute later it can."""
    for phone in (Fails(), Answers(after=2)):
        stage.exchange.phone(ANA, phone)
        await _tried(stage)
        await stage.exchange.run(30)


async def _tried(stage: Stage) -> None:
    people = (await rota.known(stage.of.database, stage.of.kept.host)).rota.people
    ana = next(one for one in people if one.name == "ana")
    token = trial.seal(token_keys(stage.of.keys), ana.id, stage.of.clock.now())
    to = Addresses(PUBLIC_URL, HOTLINE, "Porchlight")
    await stage.of.parts.rest.place(Order(ana.phone, to.trial(), to.tried(token), 20, 60))


async def cannot_be_reached_and_can(stage: Stage) -> None:
    """A phone fails for one caller, and answers for the next."""
    asleep(stage)
    stage.exchange.phone(ANA, Fails())
    rosa = await stage.rosa("1", "0")
    await stage.exchange.run(10)
    await rosa.hang_up()
    await stage.exchange.run(5)
    await takes(stage)


MORE: tuple[Scene, ...] = (talks_long, comes_back, tries_a_phone, cannot_be_reached_and_can)


def replayed(folder: Path, blank: Path, *scenes: Scene, forgets: Forgets = as_the_line_does, **parts: Any) -> Tape:
    """These scenes one after the other, while the webhooks of those before come again."""

    async def main() -> Tape:
        async with staged(folder, blank, **parts) as stage:
            tape = Tape(stage.of, lambda: len(stage.recorder.asked), settled, forgets, lambda: stage.live.away)
            stage.wire.app = tape
            for scene in scenes:
                await scene(stage)
                await stage.ends()
            await tape.rest()
            return tape

    folder.mkdir()
    return asyncio.run(main())


def test_every_webhook_of_every_scene_sent_again_changes_nothing_and_rings_nobody(
    tmp_path: Path, blank: Path, record: Record
) -> None:
    tape = replayed(tmp_path / "line", blank, *SCENES, *MORE)
    record(tape.replays, "webhooks sent again 1, 11 and 700 minutes later")
    assert tape.wrong == []
    assert tape.replays > 2.9 * len(tape.sent)


@pytest.mark.parametrize("begins_at", [BEGINNING, BEGINNING + timedelta(hours=19)], ids=["old key", "new key"])
def test_every_route_of_the_door_is_replayed(begins_at: datetime, tmp_path: Path, blank: Path, record: Record) -> None:
    """With a token key of five hours, which is destroyed before the last replay, and with one of a minute, which is
    not."""

    async def main() -> None:
        clock = VirtualClock(begins_at)
        async with house(tmp_path / "line", blank=blank, rest=Fickle(), clock=clock) as of:
            phones = of.parts.rest
            assert isinstance(phones, Fickle)
            tape = Tape(of, lambda: len(phones.asked), at_rest)
            assert await walk(of, tape.visit) == WEBHOOKS
            await tape.rest()
            record(tape.replays, "webhooks of every route sent again")
            assert tape.wrong == []
            assert {route_of(of, sent.request.path) for sent in tape.sent} == WEBHOOKS

    asyncio.run(main())


# ---- texts: what a replay can still do ----


def text_of(words: str, message_id: str) -> Request:
    fields = {"From": "12125550161", "To": HOTLINE, "Text": words, "MessageUUID": message_id, "Type": "sms"}
    headers = {"content-type": FORM.decode(), NONCE: "31627761595286130198"}
    return request_of(f"{PUBLIC_URL}/text", headers, encode_form(fields.items())).signed()


def test_a_text_sent_again_counts_once_while_its_conversation_is_kept_and_anew_afterwards(
    tmp_path: Path, blank: Path
) -> None:
    """Nothing in a text says how old it is: THREATMODEL.md tells what that means."""
    reports, leaves = text_of("VOICE 1 1 4 # 1 1", "a" * 36), text_of("BYE", "b" * 36)

    async def main() -> None:
        async with house(tmp_path / "line", blank=blank, rest=Fickle(works=True)) as of:
            phones = of.parts.rest
            assert isinstance(phones, Fickle)

            async def kept() -> tuple[int, int]:
                return len(phones.asked), len(await of.reports())

            await send(of.app, reports)
            assert await kept() == (1, 1)
            of.clock.advance(timedelta(minutes=100))
            await send(of.app, reports)
            assert await kept() == (1, 1)
            await send(of.app, leaves)
            of.clock.advance(timedelta(minutes=9))
            for old in (reports, leaves):
                await send(of.app, old)
            assert await kept() == (2, 1)
            of.clock.advance(timedelta(minutes=11))
            await send(of.app, reports)
            assert await kept() == (3, 2)

    asyncio.run(main())


# ---- mutants: each must be caught ----


class Trusting(Edge):
    """Takes whatever is signed for new."""

    def begin(self, webhook: Webhook, now: datetime, *, after: str = "", side: str = CALLERS) -> tuple[NewCall, Seal]:
        new, seal = super().begin(webhook, now, after=after, side=side)
        return dataclasses.replace(new, is_late=False), seal

    def resume(self, token: str, webhook: Webhook, now: datetime, *, side: str = CALLERS) -> Resumed | None:
        resumed = super().resume(token, webhook, now, side=side)
        return None if resumed is None else replace(resumed, is_late=False)


async def at_once(of: House) -> None:
    """Live rows go as soon as they are over."""
    now = milliseconds(of.clock.now())
    await of.parts.live.write(
        lambda connection: live.sweep(connection, ended=now, asked=now, joined=now, ahead=now + 1)
    )


def test_mutant_a_line_that_looks_at_no_age_is_seen(tmp_path: Path, blank: Path) -> None:
    tape = replayed(tmp_path / "line", blank, takes, staff_line, builder=partial(build, edge=Trusting))
    late = [one for one in tape.wrong if "after 1 minutes" not in one]
    assert any(one.startswith("/voice/keys after 11 minutes") and "asked" in one for one in late), "phones ring"
    assert any(one.startswith("/staff/keys after 11 minutes") and "switches" in one for one in late), "a shift changes"


def test_mutant_a_line_that_forgets_early_is_seen(tmp_path: Path, blank: Path) -> None:
    tape = replayed(tmp_path / "line", blank, takes, staff_line, forgets=at_once)
    assert any("asked" in one for one in tape.wrong), "phones ring"
    assert all("after 1 minutes" in one for one in tape.wrong)


def test_the_same_scenes_without_a_mutant_are_unharmed(tmp_path: Path, blank: Path) -> None:
    assert replayed(tmp_path / "line", blank, takes, staff_line).wrong == []
