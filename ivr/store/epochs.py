"""The statements of epochs: a month's public keys, and its private key wrapped to each advocate."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.store.tables import epoch_wraps, epochs


@dataclass(frozen=True, slots=True)
class EpochRow:
    """A row of `epochs`."""

    id: str
    public_key: bytes
    receipt_key: bytes


async def add(connection: AsyncConnection, row: EpochRow, *, wraps: dict[bytes, bytes]) -> None:
    """A new epoch and its private key as wrapped to each advocate (by her id)."""
    await connection.execute(epochs.insert().values(asdict(row)))
    for advocate_id, wrapped in wraps.items():
        await connection.execute(epoch_wraps.insert().values(epoch=row.id, advocate_id=advocate_id, wrapped=wrapped))


async def all_epochs(connection: AsyncConnection) -> Sequence[EpochRow]:
    """Every epoch, the oldest first."""
    return [EpochRow(**row._asdict()) for row in await connection.execute(select(epochs).order_by(epochs.c.id))]


async def taking(connection: AsyncConnection, month: str) -> EpochRow | None:
    """This month's epoch, else the newest before it, else the oldest of all; None if there is none."""
    past = select(epochs).where(epochs.c.id <= month).order_by(epochs.c.id.desc()).limit(1)
    oldest = select(epochs).order_by(epochs.c.id).limit(1)
    row = (await connection.execute(past)).first() or (await connection.execute(oldest)).first()
    return None if row is None else EpochRow(**row._asdict())


async def wraps_for(connection: AsyncConnection, advocate_id: bytes) -> dict[str, bytes]:
    """Each epoch that this advocate may open -> its private key, wrapped to her."""
    statement = select(epoch_wraps.c.epoch, epoch_wraps.c.wrapped).where(epoch_wraps.c.advocate_id == advocate_id)
    return {row.epoch: row.wrapped for row in await connection.execute(statement)}
