"""The statements of tallies: how often something happened in a week. No row is of one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ivr.store.tables import tallies

_INSERT = {"sqlite": insert_sqlite, "postgresql": insert_postgresql}


@dataclass(frozen=True, slots=True)
class TallyRow:
    """A row of `tallies`."""

    week: str
    kind: str
    what: str
    count: int


def count_one(connection: Connection, week: str, kind: str, what: str) -> None:
    """One more in this week (YYYY-Www)."""
    one: Any = _INSERT[connection.dialect.name](tallies).values(week=week, kind=kind, what=what, count=1)
    connection.execute(
        one.on_conflict_do_update(index_elements=list(tallies.primary_key), set_={"count": tallies.c.count + 1})
    )


def of_kind(connection: Connection, kind: str) -> Sequence[TallyRow]:
    """What was counted of a kind, the earliest week first."""
    statement = select(tallies).where(tallies.c.kind == kind).order_by(tallies.c.week, tallies.c.what)
    return [TallyRow(**row._asdict()) for row in connection.execute(statement)]
