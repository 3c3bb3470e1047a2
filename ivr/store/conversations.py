"""The statements of text conversations: sealed bytes under a name that only the number that texts leads to.
Whoever answers a text claims its conversation first: two texts of one caller are answered one after the other,
whichever worker gets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ivr.store.live import conversations

_INSERT = {"sqlite": insert_sqlite, "postgresql": insert_postgresql}


ROW_BYTES = 4352
"""What a conversation takes in SQLite's file: a page, and its place in the index and among the pages."""
SWEPT_AT_ONCE = 16
"""What is deleted is written over, and all that one transaction writes must fit into the log."""


class TooMany(Exception):
    """Nothing lies under these names, and no conversation can be begun now."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies under a name. `body` None: nothing yet."""

    id: bytes
    body: bytes | None


def claim(
    connection: Connection, ids: Sequence[bytes], *, fresh: bytes | None, most: int, now: int, until: int, stays: int
) -> list[Found] | None:
    """Nobody else may answer under these names until that moment: what lies under them. The first is made if it is not
    there, and then `stays` so long; with the body `fresh` where nothing lies under any of them. None where somebody
    else has one of them. Moments are milliseconds.

    Raises TooMany, and changes nothing, where a conversation would be begun beside `most` others."""
    found = _locked(connection, ids)
    if any(row.claimed > now for row in found):
        return None
    is_new = all(row.body is None for row in found)
    if is_new and _count(connection, most) >= most:
        raise TooMany
    bodies: dict[bytes, bytes | None] = {row.id: row.body for row in found}
    connection.execute(update(conversations).where(conversations.c.id.in_(bodies)).values(claimed=until))
    if ids[0] not in bodies:
        bodies[ids[0]] = body = fresh if is_new else None
        if not _inserted(connection, id=ids[0], body=body, claimed=until, until=stays):
            return None  # another worker was faster
    return [Found(name, body) for name, body in bodies.items()]


def keep(
    connection: Connection,
    conversation_id: bytes,
    body: bytes,
    *,
    until: int,
    others: Sequence[bytes],
    claimed: int,
    is_last: bool = False,
) -> bool:
    """What she and the line have come to, until that moment; what lay under her other names goes. Also where a sweep
    took the row meanwhile: what was over has been begun anew. `is_last`: and the next text may be answered. False, and
    nothing is changed, where the claim, named by the moment at which it ends, was over and somebody else has answered
    since."""
    still = 0 if is_last else claimed
    made: Any = _INSERT[connection.dialect.name](conversations).values(
        id=conversation_id, body=body, claimed=still, until=until
    )
    ours = conversations.c.claimed == claimed
    kept = {"body": body, "until": until, "claimed": still}
    changed = made.on_conflict_do_update(index_elements=["id"], set_=kept, where=ours)
    if connection.execute(changed.returning(conversations.c.id)).first() is None:
        return False
    connection.execute(delete(conversations).where(conversations.c.id.in_(others), ours))
    return True


def let_go(connection: Connection, ids: Sequence[bytes], *, claimed: int) -> None:
    """Others may answer under these names; what was claimed and never kept goes."""
    ours = conversations.c.id.in_(ids) & (conversations.c.claimed == claimed)
    connection.execute(delete(conversations).where(ours, conversations.c.body.is_(None)))
    connection.execute(update(conversations).where(ours).values(claimed=0))


def sweep(connection: Connection, *, until: int, longest: int) -> bool:
    """Delete some of those that end at that moment or before, or later than any can: a clock that was wrong began them.
    Whether there may be more."""
    over = (conversations.c.until <= until) | (conversations.c.until > longest)
    some = select(conversations.c.id).where(over).limit(SWEPT_AT_ONCE)
    return connection.execute(delete(conversations).where(conversations.c.id.in_(some))).rowcount == SWEPT_AT_ONCE


def _locked(connection: Connection, ids: Sequence[bytes]) -> Sequence[Row[Any]]:  # Any: a row of the table
    rows = select(conversations).where(conversations.c.id.in_(ids)).order_by(conversations.c.id).with_for_update()
    return connection.execute(rows).all()


def _count(connection: Connection, most: int) -> int:
    """How many there are, counted up to `most`."""
    some = select(conversations.c.id).limit(most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def _inserted(connection: Connection, **values: Any) -> bool:
    made: Any = _INSERT[connection.dialect.name](conversations).values(**values)  # each dialect has its own
    return connection.execute(made.on_conflict_do_nothing().returning(conversations.c.id)).first() is not None
