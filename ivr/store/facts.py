"""The statements of facts: a name and its bytes, true of the whole installation."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ivr.store.tables import facts


async def add(connection: AsyncConnection, name: str, *, value: bytes) -> None:
    """A new fact."""
    await connection.execute(facts.insert().values(name=name, value=value))


async def find(connection: AsyncConnection, name: str) -> bytes | None:
    """A fact's bytes, or None if it was never stated."""
    return (await connection.execute(select(facts.c.value).where(facts.c.name == name))).scalar()
