"""The statements of shared budgets: how many tries are left for all callers of all workers together, and which tries
were counted already. Knows neither what is tried nor who tries."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ivr.store.live import attempts, budgets

_INSERT = {"sqlite": insert_sqlite, "postgresql": insert_postgresql}


class Level(NamedTuple):
    """How full a budget was at a moment, in milliseconds since 1970. A try is ONE_TRY."""

    left: int
    at: int


def level(connection: Connection, name: str, *, otherwise: Level, a_day: int, burst: int) -> Level:
    """How full it is, nobody else's to change until this transaction ends. `otherwise`: where nobody has drawn yet."""
    values = {**otherwise._asdict(), "a_day": a_day, "burst": burst}
    first: Any = _INSERT[connection.dialect.name](budgets).values(name=name, **values)
    connection.execute(first.on_conflict_do_nothing())  # each dialect has its own
    found = select(budgets.c.left, budgets.c.at).where(budgets.c.name == name).with_for_update()
    return Level(*connection.execute(found).one())


def set_level(connection: Connection, name: str, level: Level, *, a_day: int, burst: int) -> None:
    """`a_day` and `burst`, in tries: how it fills by itself."""
    values = {**level._asdict(), "a_day": a_day, "burst": burst}
    connection.execute(update(budgets).where(budgets.c.name == name).values(values))


def waited(connection: Connection, attempt: bytes) -> int | None:
    """The wait in seconds that this try was told when it was counted; None: it was not."""
    return connection.execute(select(attempts.c.wait).where(attempts.c.id == attempt)).scalar()


def count(connection: Connection, attempt: bytes, *, wait: int, at: int) -> None:
    """This try is counted; `at` in milliseconds."""
    connection.execute(attempts.insert().values(id=attempt, wait=wait, is_returned=False, at=at))


def give_back(connection: Connection, attempt: bytes) -> bool:
    """This try was right. False where that is known already, or it was never counted."""
    where = (attempts.c.id == attempt, attempts.c.is_returned.is_(False))
    return bool(connection.execute(update(attempts).where(*where).values(is_returned=True)).rowcount)
