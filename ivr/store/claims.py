"""The statements of claims: a change claims its name first, and is made by whoever was first. A claim tells nothing but
that some receipt was used within two nights."""

from typing import Any

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ivr.store.tables import claims

NIGHTS = 2
"""A call is over, and the keys of its addresses are gone, long before the second."""

_INSERT = {"sqlite": insert_sqlite, "postgresql": insert_postgresql}


def claim(connection: Connection, claim_id: bytes) -> bool:
    """Whether this was the first; somebody else's that is not committed yet is waited for."""
    one: Any = _INSERT[connection.dialect.name](claims).values(id=claim_id, nights=NIGHTS)
    return connection.execute(one.on_conflict_do_nothing().returning(claims.c.id)).first() is not None


def count_night(connection: Connection) -> None:
    """A night has passed: those whose last it was go."""
    connection.execute(delete(claims).where(claims.c.nights <= 1))
    connection.execute(update(claims).values(nights=claims.c.nights - 1))
