"""What an adversary found: each sentence is a promise of the issue that did not hold."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, time
from pathlib import Path

from sqlalchemy import Connection

from ivr.carrier.party import Party
from ivr.carrier.rest_api import refuses
from ivr.oncall.people import PersonId
from ivr.oncall.rota import Shift
from ivr.services import pins
from ivr.services.rota import LiveRota, rota_in
from ivr.vault.host import HostKey
from tests.founded import SECRET
from tests.transfers.people import NUMBERS
from tests.transfers.town import ZONE, Town, town

HOST = HostKey.of(SECRET)
ALL_DAY = Shift(b"", PersonId(b""), date(2027, 1, 1), time(), time(), ZONE, "FREQ=DAILY")


def told(folder: Path, blank: Path, story: Callable[[Town], Awaitable[None]]) -> None:
    async def main() -> None:
        async with town(folder / "line", blank) as of:
            await story(of)

    asyncio.run(main())


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
        async with asyncio.timeout(2):
            await of.calls()
        is_written.set()

    told(tmp_path, blank, story)
