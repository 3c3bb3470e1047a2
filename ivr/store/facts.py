"""The statements of facts: a name and its bytes, true of the whole installation."""

from sqlalchemy import Connection, select

from ivr.store.tables import facts


def add(connection: Connection, name: str, *, value: bytes) -> None:
    """A new fact."""
    connection.execute(facts.insert().values(name=name, value=value))


def find(connection: Connection, name: str) -> bytes | None:
    """A fact's bytes, or None if it was never stated."""
    return (connection.execute(select(facts.c.value).where(facts.c.name == name))).scalar()
