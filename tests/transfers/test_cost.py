"""What a transfer costs: how long the two wait for each other, and how soon the first phone is asked for."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest

from ivr.carrier.phones import NeverAnswers
from ivr.engine.effects import Meet
from ivr.oncall.ring_limits import PERIOD
from tests.promises.house import PROVE
from tests.transfers.judging import CONNECTING_PIECE, HOLD_PIECE, wishes_of
from tests.transfers.people import NUMBERS, PLAIN, Cell, Language
from tests.transfers.town import Told, Town, is_connecting, played, town

CALLS = 50
ENOUGH = 0.3
"""Seconds until the first request, generously: a busy machine must not make it about itself."""
TAKERS = [does for does in PLAIN if does.startswith("takes") or does == "hears more and takes"]


@dataclass
class Stopwatch:
    """Moments of the machine's own time."""

    at: list[float] = field(default_factory=list)

    def press(self) -> None:
        self.at.append(perf_counter())


def seconds_to_meet(of: Town) -> float | None:
    """From the first 1 for Rosa to both in the conference."""
    taken = [told.at for told in of.ear.told if is_connecting(told.turn)]
    met: list[datetime] = [
        stay.joined_at for room in of.exchange.conferences.values() if len(room.stays) > 1 for stay in room.stays[:2]
    ]
    return (max(met) - taken[0]).total_seconds() if taken and met else None


def pieces(of: Town) -> tuple[float, float]:
    """The longest hold piece and the longest connecting piece of this story, with the word that follows."""
    rosa = of.rosa
    assert rosa is not None
    [wish, *_] = wishes_of(of, rosa)
    hold = [told.at for told in wish.told]
    longest = max(((b - a).total_seconds() for a, b in pairwise(hold)), default=0.0)
    legs = [leg for leg in of.rung() if any(is_connecting(told.turn) for told in _of(of, leg.uuid))]
    times = [[told.at for told in _of(of, leg.uuid) if is_connecting(told.turn) or _meets(told)] for leg in legs]
    connecting = [(b - a).total_seconds() for of_leg in times for a, b in pairwise(of_leg)]
    return longest, max(connecting, default=0.0)


def _of(of: Town, uuid: str) -> list[Told]:
    return [told for told in of.ear.told if told.fields["CallUUID"] == uuid]


def _meets(told: Told) -> bool:
    return told.turn is not None and isinstance(told.turn.then, Meet)


def test_from_her_1_to_both_in_the_conference_is_a_hold_piece_and_a_connecting_piece_at_most(
    tmp_path: Path, blank: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    languages: tuple[Language, ...] = ("en", "es")
    cells = [Cell((does, other), (), language) for does in TAKERS for other in PLAIN for language in languages]
    waits: list[float] = []

    async def main() -> None:
        async with town(tmp_path / "line", blank) as of:
            for cell in cells if PROVE > 1 else cells[::5]:
                of.begin()
                await played(cell, of)
                seconds = seconds_to_meet(of)
                if seconds is None:
                    continue
                hold, connecting = pieces(of)
                assert hold <= HOLD_PIECE, str(cell)
                assert connecting <= CONNECTING_PIECE, str(cell)
                assert seconds <= hold + connecting, str(cell)
                waits.append(seconds)

    asyncio.run(main())
    assert len(waits) > len(TAKERS)
    with capsys.disabled():
        print(
            f"\nfrom 1 to both in the conference: median {median(waits):.1f} s, at most {max(waits):.1f} s, "
            f"in {len(waits)} stories"
        )


def _at_zero(watch: Stopwatch, fields: Mapping[str, str]) -> None:
    if fields.get("Digits") == "0":
        watch.press()


async def seconds_to_first_request(of: Town) -> list[float]:
    """Real ones, from the caller's 0 to the first request that rings a phone."""
    found: list[float] = []
    for _ in range(CALLS):
        of.begin()
        of.clock.advance(PERIOD)  # a phone that has rung often is let be for a while
        asked, began = Stopwatch(), Stopwatch()
        of.wire.asks = asked.press
        of.ear.hears = partial(_at_zero, began)
        of.exchange.phone(NUMBERS["ana"], NeverAnswers())
        rosa = await of.calls()
        found.append(asked.at[0] - began.at[0])
        await rosa.hang_up()
        await of.exchange.quiet()
    return found


def test_the_first_phone_is_asked_for_at_once(tmp_path: Path, blank: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> float:
        async with town(tmp_path / "line", blank) as of:
            await of.on_duty("ana", "bo", "cy")
            tries = [median(await seconds_to_first_request(of))]
            while tries[-1] >= ENOUGH and len(tries) < 3:
                tries.append(median(await seconds_to_first_request(of)))
            return min(tries)

    seconds = asyncio.run(main())
    with capsys.disabled():
        print(f"\nfrom the 0 to the first request: median {seconds * 1000:.1f} ms of {CALLS} calls")
    assert seconds < ENOUGH
