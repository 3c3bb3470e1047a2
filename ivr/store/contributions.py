"""The statements of contributions: what was derived from a confirmed report. Nothing here leads back to it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, delete, select

from ivr.store.tables import contributions


@dataclass(frozen=True, slots=True)
class ContributionRow:
    """A row of `contributions`."""

    handle: bytes
    kind: str
    grade: str
    payload: bytes
    until: str


def put(connection: Connection, row: ContributionRow) -> None:
    """One for each handle and kind: a newer one replaces it."""
    same = (contributions.c.handle == row.handle, contributions.c.kind == row.kind)
    connection.execute(delete(contributions).where(*same))
    connection.execute(contributions.insert().values(asdict(row)))


def forget(connection: Connection, handle: bytes) -> int:
    """Everything derived from the report of this handle. How many there were."""
    return connection.execute(delete(contributions).where(contributions.c.handle == handle)).rowcount


def forget_above(connection: Connection, handle: bytes, *, grades: Collection[str]) -> int:
    """What was derived from the report of this handle and needs another consent than these. How many there were."""
    above = (contributions.c.handle == handle, contributions.c.grade.not_in(grades))
    return connection.execute(delete(contributions).where(*above)).rowcount


def expire(connection: Connection, today: str) -> int:
    """Everything whose last day is before today (YYYY-MM-DD). How many there were."""
    return connection.execute(delete(contributions).where(contributions.c.until < today)).rowcount


def all_contributions(connection: Connection) -> Sequence[ContributionRow]:
    """Every contribution, by its random handle."""
    statement = select(contributions).order_by(contributions.c.handle, contributions.c.kind)
    return [ContributionRow(**row._asdict()) for row in connection.execute(statement)]
