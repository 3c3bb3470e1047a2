"""Several callers and more people than phones ring at once, a phone of two people, wishes that come late, and databases
that are slow or away."""

import asyncio
from collections.abc import Callable
from datetime import date, time
from pathlib import Path

from sqlalchemy import Connection

from ivr.carrier.party import Party
from ivr.carrier.phones import NeverAnswers
from ivr.carrier.rest_api import refuses
from ivr.oncall.people import PersonId, Tier
from ivr.oncall.rota import Shift
from ivr.services import pins, rota
from ivr.services.rota import LiveRota, rota_in
from ivr.store.database import StoreUnavailable
from ivr.vault.host import HostKey
from tests.founded import SECRET, UNHURRIED
from tests.transfers.judging import conversations
from tests.transfers.people import LOLA, NUMBERS, OUTCOMES, ROSA, pressing
from tests.transfers.town import ZONE, Town, under_every_rule

HOST = HostKey.of(SECRET)
ALL_DAY = Shift(b"", PersonId(b""), date(2027, 1, 1), time(), time(), ZONE, "FREQ=DAILY")


async def presses(of: Town, party: Party, keys: str) -> None:
    before = party.listened
    await party.press(keys)
    await of.exchange.until(lambda: party.listened > before)


async def signed_in(of: Town, name: str) -> Party:
    pin = await pins.new_pin(of.first.line.database, HOST, name)
    party = await of.exchange.call(NUMBERS[name])
    await of.exchange.until(lambda: party.listened == 1)
    await presses(of, party, "8")
    await presses(of, party, f"{pin}#")
    return party


async def is_on(of: Town, name: str) -> bool:
    def look(connection: Connection) -> bool:
        return name in [one.name for one in rota_in(connection, HOST).rota.on_duty(of.clock.now())]

    return await of.first.line.database.read(look, snapshot=True)


def test_a_caller_does_not_wait_for_the_flag_of_a_number_that_fails(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana", "bo")
        of.exchange.rest.fails(refuses(400), number=NUMBERS["ana"])
        is_written = asyncio.Event()
        known = of.first.transfers.rota
        assert isinstance(known, LiveRota)
        set_failing = known._database.write

        async def slow(work: Callable[[Connection], object]) -> object:
            await is_written.wait()
            return await set_failing(work)

        known._database.write = slow  # type: ignore[method-assign, assignment]
        known._look_seconds = 0.1  # a line waits so long; a test lifts every limit
        async with asyncio.timeout(UNHURRIED.rota / 2):
            await of.calls()
        is_written.set()

    under_every_rule(tmp_path, blank, story)


def test_who_presses_1_after_the_caller_hung_up_is_not_told_that_somebody_has_taken_it(
    tmp_path: Path, blank: Path
) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana")
        of.exchange.phone(NUMBERS["ana"], pressing("1", at=5))
        of.exchange.rest.fails(refuses(500, only="DELETE"))  # or her key is faster than it
        rosa = await of.calls()
        await of.exchange.run(7)
        await rosa.hang_up()
        await of.exchange.run(5)
        said = [said.prompt for one in of.ear.told if one.turn is not None for said in one.turn.said]
        assert "line.caller_left" in said
        assert "line.taken_already" not in said

    under_every_rule(tmp_path, blank, story)


def test_when_three_on_call_sleep_the_fourth_is_rung(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana", "bo", "cy", "gil")
        for name in ("ana", "bo", "cy"):
            of.exchange.phone(NUMBERS[name], NeverAnswers())
        of.exchange.phone(NUMBERS["gil"], OUTCOMES["takes"])
        rosa = await of.calls()
        await of.exchange.run(50)
        assert conversations(of, rosa) == ["gil"]

    under_every_rule(tmp_path, blank, story)


def test_who_calls_while_all_phones_ring_for_another_gets_one_that_is_let_be(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana", "bo", "cy")
        for name in ("ana", "bo", "cy"):
            of.exchange.phone(NUMBERS[name], OUTCOMES["takes"])
        callers = [await of.calls(number) for number in (ROSA, LOLA)]
        await of.exchange.run(45)
        assert [len(conversations(of, one)) for one in callers] == [1, 1]

    under_every_rule(tmp_path, blank, story)


def test_a_switch_that_comes_again_late_does_not_undo_a_newer_one(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana", "bo")
        ana = await signed_in(of, "ana")
        await presses(of, ana, "2")
        off = len(ana.exchange) - 1
        assert not await is_on(of, "ana")
        await presses(of, ana, "2")
        assert await is_on(of, "ana")
        await ana.redeliver(off)
        assert await is_on(of, "ana"), "she heard last that she is on call, and is not rung"

    under_every_rule(tmp_path, blank, story)


def test_one_phone_of_two_people_rings_once(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        database = of.first.line.database
        await rota.add_person(
            database, HOST, name="ann", phone=NUMBERS["ana"], languages=("en",), tier=Tier.ON_CALL, zone=ZONE
        )
        await rota.add_shifts(database, [("ann", ALL_DAY)])
        await of.on_duty("ana")
        of.exchange.phone(NUMBERS["ana"], NeverAnswers())
        await of.calls()
        await of.exchange.run(3)
        assert [leg.number for leg in of.rung()] == [NUMBERS["ana"]]

    under_every_rule(tmp_path, blank, story)


def test_while_live_rows_are_away_no_phone_that_rings_for_her_is_rung_again(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        await of.on_duty("ana", "bo")
        for name in ("ana", "bo"):
            of.exchange.phone(NUMBERS[name], NeverAnswers())
        await of.calls()
        await of.exchange.run(10)

        async def away(_work: object) -> None:
            raise StoreUnavailable("away")

        live, written = of.first.transfers.live, of.first.transfers.live.write
        live.write = away  # type: ignore[method-assign, assignment]
        await of.exchange.run(8)
        live.write = written  # type: ignore[method-assign]
        rung = [leg.number for leg in of.rung()]
        assert len(rung) == len(set(rung))

    under_every_rule(tmp_path, blank, story)
