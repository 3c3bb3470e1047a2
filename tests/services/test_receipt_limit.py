"""How many receipts may be tried: as many as there are receipts for, by everybody together, at every worker."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from sqlalchemy import select

from ivr.engine.asks import Answer, Busy, Crowded, Gone, NotNow, Opened, OpenReceipt
from ivr.engine.call import Call, begin
from ivr.kit.clock import VirtualClock
from ivr.services.rate_limit import RateLimits
from ivr.services.receipt_limit import ASSUMED, COUNTED_EVERY, LONGEST_WAIT, ReceiptTries, limit_for
from ivr.services.world import LiveWorld
from ivr.store import live
from ivr.store.budgets import Level
from ivr.store.database import Database
from ivr.store.live import ONE_TRY, milliseconds
from ivr.store.tables import reports
from tests.founded import NOW, UNHURRIED, Office, in_office
from tests.services.test_by_receipt import keep
from tests.shipped import flow

NOBODY_S = "271828182845"
_ROW = {
    "form": "bad_date",
    "epoch": "2026-11",
    "week": "2026-W47",
    "turn": 1,
    "consent": "pass_on",
    "state": "new",
    "body": b"",
    "signer": b"",
    "signature": b"",
}
LIMIT = limit_for(1)

Story = Callable[["Line"], Coroutine[Any, Any, None]]


class Line:
    """A worker of a line, and the database of what is live."""

    def __init__(self, of: Office, rows: Database) -> None:
        self.of, self.rows, self.clock = of, rows, VirtualClock(NOW)
        self.limits = RateLimits(rows, UNHURRIED.rate_limit)
        self.tries = ReceiptTries(self.limits, of.database)
        self.receipts = of.receipts()
        unused = cast(Any, None)  # what a receipt needs none of
        self.world = LiveWorld(unused, self.receipts, self.tries, unused, unused, unused, self.clock, flow())

    async def opens(self, code: str, *, call: int, turn: int = 3, tries: int = 0, has_waited: bool = False) -> Answer:
        begun: Call = begin(flow(), seed=call.to_bytes(16), at=NOW)
        ask = OpenReceipt(code, has_waited=has_waited)
        answer = await self.world.answer(ask, msgspec.structs.replace(begun, turn=turn, tries=tries), b"a leg")
        await self.limits.close()  # what is given back is home
        return answer

    async def left(self) -> float:
        found = await self.rows.read(lambda rows: rows.execute(select(live.budgets.c.left)).scalar_one())
        return float(found / ONE_TRY)

    async def leave(self, left: int) -> None:
        """As if somebody had tried so many that only these are left."""
        level = Level(left * ONE_TRY, milliseconds(self.clock.now()))

        def put(rows: Any) -> None:
            LIMIT.level_in(rows, self.clock.now())
            LIMIT.set_level(rows, level)

        await self.rows.write(put)


def told(tmp_path: Path, story: Story) -> None:
    async def main(of: Office) -> None:
        rows = Database(f"sqlite:///{tmp_path / 'live.db'}")
        await rows.furnish(live.create)
        line = Line(of, rows)
        await story(line)
        await line.receipts.close()
        await rows.close()

    in_office(tmp_path, main)


def test_a_right_receipt_costs_nothing_and_a_wrong_one_is_a_try(tmp_path: Path) -> None:
    async def story(line: Line) -> None:
        code = await keep(line.of)
        for n in range(3):
            assert isinstance(await line.opens(code, call=n), Opened)
        assert await line.left() == LIMIT.burst
        assert await line.opens(NOBODY_S, call=4) == Gone()
        assert await line.opens(NOBODY_S, call=4) == Gone(), "a webhook that comes twice"
        assert await line.left() == LIMIT.burst - 1

    told(tmp_path, story)


def test_when_nothing_is_left_whoever_comes_waits_a_little_or_is_told_to_come_later(tmp_path: Path) -> None:
    async def story(line: Line) -> None:
        code = await keep(line.of)
        await line.leave(0)
        waits = [await line.opens(code, call=n) for n in range(12)]
        assert [one for one in waits if isinstance(one, Busy)]
        assert all(one.seconds <= LONGEST_WAIT.total_seconds() for one in waits if isinstance(one, Busy))
        assert waits[-1] == Crowded()
        assert await line.opens(code, call=0) == waits[0], "the same webhook again"
        assert isinstance(await line.opens(code, call=0, turn=4, has_waited=True), Opened)
        assert await line.opens(code, call=20) != Crowded(), "what was right was given back"
        line.clock.advance(2 * LONGEST_WAIT)
        assert isinstance(await line.opens(code, call=30), Opened)

    told(tmp_path, story)


def test_who_tries_again_in_a_call_is_told_to_come_later_before_who_tries_once(tmp_path: Path) -> None:
    async def story(line: Line) -> None:
        await line.leave(LIMIT.reserve - 20)
        assert await line.opens(NOBODY_S, call=1, tries=1) == Crowded()
        assert await line.opens(NOBODY_S, call=2) == Gone()

    told(tmp_path, story)


def test_while_live_rows_are_away_nothing_is_looked_up(tmp_path: Path) -> None:
    async def story(line: Line) -> None:
        code = await keep(line.of)
        await line.rows.write(lambda rows: live.live.drop_all(rows))
        assert await line.opens(code, call=1) == NotNow()

    told(tmp_path, story)


def test_the_more_receipts_there_are_the_fewer_may_be_tried(tmp_path: Path) -> None:
    most = [limit_for(receipts).a_day for receipts in (1, 500, ASSUMED, 10 * ASSUMED, 10**9)]
    assert most == sorted(most, reverse=True)
    assert min(most) > 0

    async def story(line: Line) -> None:
        assert await line.opens(NOBODY_S, call=1) == Gone()
        assert await line.left() == limit_for(0).burst - 1
        planted = [{"id": n.to_bytes(16), "receipt_tag": n.to_bytes(16), **_ROW} for n in range(1000)]
        await line.of.database.write(lambda found: found.execute(reports.insert(), planted))
        assert await line.opens(NOBODY_S, call=2) == Gone()
        assert await line.left() > limit_for(1000).burst, "nobody counts at each try"
        line.clock.advance(COUNTED_EVERY)
        assert await line.opens(NOBODY_S, call=3) == Gone()
        assert await line.left() == limit_for(1000).burst - 1

    told(tmp_path, story)


@pytest.mark.parametrize("is_away", [True, False])
def test_as_long_as_nobody_could_count_ten_thousand_are_assumed(tmp_path: Path, is_away: bool) -> None:
    async def story(line: Line) -> None:
        if is_away:
            line.tries.database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'at' / 'all.db'}")
        await line.opens(NOBODY_S, call=1)
        assert await line.left() == limit_for(ASSUMED if is_away else 0).burst - 1

    told(tmp_path, story)
