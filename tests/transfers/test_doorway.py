"""On the way into the conference: one of the two has gone, and the other must not wait there for ever."""

import asyncio
from datetime import timedelta
from pathlib import Path

from ivr.carrier.phones import Answers, Keys
from tests.transfers.judging import judged
from tests.transfers.people import BACKUP, NUMBERS, OUTCOMES, RULES, Caller, Cell
from tests.transfers.town import Town, town, under_every_rule


def test_a_caller_does_not_wait_in_a_room_for_somebody_who_hung_up_before_they_met(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        assert await judged(Cell(("takes and hangs up before they meet",)), of) == []
        rosa, [room] = of.rosa, of.exchange.conferences.values()
        assert rosa is not None
        assert room.stays[0].why == "kicked"
        assert room.alone(rosa) < 1
        last = [told.turn for told in of.ear.told if told.fields["CallUUID"] == rosa.uuid and told.turn][-1]
        assert last.call.step == "after_talk", "she has a choice"

    under_every_rule(tmp_path, blank, story)


def test_whoever_took_a_call_does_not_wait_in_a_room_for_a_caller_who_hung_up(tmp_path: Path, blank: Path) -> None:
    async def story(of: Town) -> None:
        assert await judged(Cell(("takes",), caller=Caller("hangs up", "in the doorway")), of) == []
        ana = of.exchange.leg(NUMBERS["ana"])
        assert all(room.alone(ana) < 1 for room in of.exchange.conferences.values())
        assert ana.ended_at is not None
        assert ana.rang_from is not None
        assert ana.ended_at - ana.rang_from < timedelta(minutes=1)

    under_every_rule(tmp_path, blank, story)


def test_whoever_is_in_the_room_first_does_not_wait_there_for_a_caller_who_hung_up(tmp_path: Path, blank: Path) -> None:
    """Her piece may end just before the caller has heard her sentence out: tried at every quarter of a second."""
    first = 0
    names = list(RULES)

    async def main(folder: Path, at: float, rules: str) -> bool:
        async with town(folder, blank, rules=RULES[rules]) as of:
            await of.on_duty("ana")
            of.exchange.phone(NUMBERS["ana"], Answers(after=4, keys=(Keys("1", at=at),)))
            rosa = await of.calls()
            await of.exchange.until(lambda: any(len(room.members) for room in of.exchange.conferences.values()))
            [room] = of.exchange.conferences.values()
            ana = of.exchange.leg(NUMBERS["ana"])
            is_first = [stay.party for stay in room.stays] == [ana]
            await rosa.hang_up()
            await of.exchange.quiet()
            assert room.alone(ana) < 1
            return is_first

    for n in range(12):
        first += asyncio.run(main(tmp_path / f"line {n}", 1 + n / 4, names[n % 3]))
    assert first > 0, "so it was never tried"


def test_a_door_that_opens_late_sends_nobody_out_who_talks(tmp_path: Path, blank: Path) -> None:
    """The webhook of a caller's first conference comes again while she is in her second."""

    async def story(of: Town) -> None:
        await of.on_duty("ana", *BACKUP)
        of.exchange.phone(NUMBERS["ana"], OUTCOMES["takes and drops out"], OUTCOMES["takes"])
        rosa = await of.calls()
        await of.exchange.until(lambda: rosa.state == "listening" and of.exchange.conferences)
        await of.exchange.run(30)  # no phone rings twice within a minute for one call
        await rosa.press("0")
        await of.exchange.until(lambda: [len(room.members) for room in of.exchange.conferences.values()] == [0, 2])
        entered = [number for number, one in enumerate(rosa.exchange) if "/entered" in one.url]
        for number in entered:
            assert (await rosa.redeliver(number)).status == 200
        await of.exchange.run(30)
        assert [len(room.members) for room in of.exchange.conferences.values()] == [0, 2]

    under_every_rule(tmp_path, blank, story)
