"""The statements of the line's own keys."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, delete, select

from ivr.store.tables import line_keys

# Every save asks, and every look-up: made once, because making a statement costs more than running it.
_SAME = select(line_keys.c.signer).where(line_keys.c.signer == bindparam("of")).with_for_update(read=True)
_HOLD = select(line_keys.c.signer).order_by(line_keys.c.signer).with_for_update()
_ALL = select(line_keys).order_by(line_keys.c.signer)


@dataclass(frozen=True, slots=True)
class LineKeyRow:
    """A row of `line_keys`."""

    signer: bytes
    signing_key: bytes
    sealing_key: bytes
    site_salt: bytes
    sealed: bytes
    certificate: bytes


def add(connection: Connection, row: LineKeyRow) -> None:
    """New keys."""
    connection.execute(line_keys.insert().values(asdict(row)))


def remove(connection: Connection, signer: bytes) -> None:
    """Keys that nothing is signed with any more."""
    connection.execute(delete(line_keys).where(line_keys.c.signer == signer))


def exists(connection: Connection, signer: bytes) -> bool:
    """Whether the line still has these keys; they stay for the length of this transaction."""
    return connection.execute(_SAME, {"of": signer}).first() is not None


def hold(connection: Connection) -> None:
    """Until this transaction ends nobody is told that the line still has its keys; and it begins once all who were told
    so are done."""
    connection.execute(_HOLD)


def all_line_keys(connection: Connection) -> Sequence[LineKeyRow]:
    """Every set of keys, by signer."""
    return [LineKeyRow(**row._asdict()) for row in connection.execute(_ALL)]
