"""The statements of text conversations: sealed bytes under a name that only the number that texts leads to.
Whoever answers a text claims its conversation first: two texts of one caller are answered one after the other,
whichever worker gets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from ivr.store.live import conversations

_INSERT = {"sqlite": insert_sqlite, "postgresql": insert_postgresql}


@dataclass(frozen=True, slots=True)
class Found:
    """What lies under a name. `body` None: nothing yet."""

    id: bytes
    body: bytes | None


def claim(connection: Connection, ids: Sequence[bytes], *, now: int, until: int, stays: int) -> list[Found] | None:
    """Nobody else may answer under these names until that moment: what lies under them. The first is made if it is not
    there, and then `stays` so long. None where somebody else has one of them. Moments are milliseconds."""
    first = ids[0]
    made: Any = _INSERT[connection.dialect.name](conversations).values(id=first, claimed=0, until=stays)
    connection.execute(made.on_conflict_do_nothing())  # each dialect has its own
    rows = select(conversations).where(conversations.c.id.in_(ids)).order_by(conversations.c.id).with_for_update()
    found = connection.execute(rows).all()
    if any(row.claimed > now for row in found):
        return None
    connection.execute(update(conversations).where(conversations.c.id.in_(ids)).values(claimed=until))
    return [Found(row.id, row.body) for row in found]


def keep(
    connection: Connection, conversation_id: bytes, body: bytes, *, until: int, others: Sequence[bytes], claimed: int
) -> bool:
    """What she and the line have come to, until that moment; what lay under her other names goes. Also where a sweep
    took the row meanwhile: what was over has been begun anew. False, and nothing is changed, where the claim, named by
    the moment at which it ends, was over and somebody else has answered since."""
    made: Any = _INSERT[connection.dialect.name](conversations).values(
        id=conversation_id, body=body, claimed=claimed, until=until
    )
    ours = conversations.c.claimed == claimed
    changed = made.on_conflict_do_update(index_elements=["id"], set_={"body": body, "until": until}, where=ours)
    if connection.execute(changed.returning(conversations.c.id)).first() is None:
        return False
    connection.execute(delete(conversations).where(conversations.c.id.in_(others), ours))
    return True


def let_go(connection: Connection, ids: Sequence[bytes], *, claimed: int) -> None:
    """Others may answer under these names; what was claimed and never kept goes."""
    ours = conversations.c.id.in_(ids) & (conversations.c.claimed == claimed)
    connection.execute(delete(conversations).where(ours, conversations.c.body.is_(None)))
    connection.execute(update(conversations).where(ours).values(claimed=0))


def sweep(connection: Connection, *, until: int, longest: int) -> int:
    """Delete those that end at that moment or before, or later than any can: a clock that was wrong began them. How
    many."""
    over = (conversations.c.until <= until) | (conversations.c.until > longest)
    return connection.execute(delete(conversations).where(over)).rowcount
