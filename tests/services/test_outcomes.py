"""How calls ended: counted by the week and no finer, by both databases, and told by weeks and months."""

import asyncio
from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, Executable, text

from ivr.services import backup, outcomes
from ivr.services.outcomes import Counted, Outcome, by_month, by_week, count_outcome, month_of
from ivr.store import tallies
from ivr.store.tallies import TallyRow
from tests.founded import Office, in_office
from tests.store.databases import KINDS

MONDAY = date(2027, 3, 8)
HELPED, REFERRED, UNTOLD = Outcome.HELPED, Outcome.REFERRED, Outcome.UNTOLD


def told(found: Iterable[Counted]) -> dict[str, dict[Outcome, int]]:
    return {one.when: dict(one.numbers) for one in found}


def _run(statement: Executable, connection: Connection) -> None:
    connection.execute(statement)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_keyed_is_counted_in_its_week_and_nothing_else_is_kept(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        for day in (0, 3, 6, 7):
            await count_outcome(of.database, HELPED, MONDAY + timedelta(days=day))
        await count_outcome(of.database, UNTOLD, MONDAY)
        rows = await of.database.read(lambda found: tallies.of_kind(found, outcomes.TRANSFER))
        assert rows == [
            TallyRow("2027-W10", "transfer", "helped", 3),
            TallyRow("2027-W10", "transfer", "untold", 1),
            TallyRow("2027-W11", "transfer", "helped", 1),
        ]
        assert told(await by_week(of.database)) == {"2027-W10": {HELPED: 3, UNTOLD: 1}, "2027-W11": {HELPED: 1}}

    in_office(tmp_path, main, kind=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_of_many_that_are_counted_at_once_none_is_lost(tmp_path: Path, kind: str) -> None:
    async def main(of: Office) -> None:
        await asyncio.gather(*(count_outcome(of.database, HELPED, MONDAY) for _ in range(12)))
        assert told(await by_week(of.database)) == {"2027-W10": {HELPED: 12}}

    in_office(tmp_path, main, kind=kind)


def test_a_week_counts_in_the_month_in_which_most_of_it_lies(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        for day in (date(2027, 2, 28), date(2027, 3, 1), date(2027, 3, 29), date(2027, 4, 4), date(2027, 12, 31)):
            await count_outcome(of.database, REFERRED, day)
        assert told(await by_month(of.database)) == {
            "2027-02": {REFERRED: 1},
            "2027-03": {REFERRED: 1},
            "2027-04": {REFERRED: 2},
            "2027-12": {REFERRED: 1},
        }
        assert (await by_week(of.database))[-1].when == "2027-W52"

    in_office(tmp_path, main)


@pytest.mark.parametrize(
    ("week", "month"),
    [("2026-W53", "2026-12"), ("2027-W01", "2027-01"), ("2027-W53", ""), ("2027-W00", ""), ("\ufffd", ""), ("", "")],
)
def test_weeks_at_the_turn_of_the_year_and_what_is_none(week: str, month: str) -> None:
    assert month_of(week) == month


def test_what_another_hand_wrote_is_not_told(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await count_outcome(of.database, HELPED, MONDAY)
        for week, what in (("2027-W99", "helped"), ("2027-W10", "a canary"), ("tomorrow", "helped")):
            planted = text("INSERT INTO tallies VALUES (:week, 'transfer', :what, 7)").bindparams(week=week, what=what)
            await of.database.write(partial(_run, planted))
        assert told(await by_week(of.database)) == {"2027-W10": {HELPED: 1}}

    in_office(tmp_path, main)


def test_while_the_database_is_away_a_count_is_lost_and_nobody_is_told(tmp_path: Path) -> None:
    async def main(of: Office) -> None:
        await of.database.write(lambda found: found.execute(text("DROP TABLE tallies")))
        await count_outcome(of.database, HELPED, MONDAY)

    in_office(tmp_path, main)


def test_counts_go_into_the_backup_file_of_which_there_is_one_copy() -> None:
    """Two copies of different days, compared, would tell on which day somebody took a call."""
    assert "tallies" in [table.name for table in backup.tables_of("keys")]
    assert "tallies" not in [table.name for table in backup.tables_of("data")]
