"""Lines that say "saved" too early or forget what they were given: the mutants of R1."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import Connection

from ivr.services.spool import Spool, Vouch
from ivr.store import reports as stored
from ivr.store import sqlite
from ivr.store.database import Database
from ivr.store.reports import ReportRow
from ivr.store.writer import Writer
from tests.promises.weather import Weather

T = TypeVar("T")


class Parts(NamedTuple):
    """What a line is made of, as far as a mutant exchanges it."""

    database: type[Weather] = Weather
    spool: type[Spool] = Spool


class Hasty(Weather):
    """Says that it is written, and writes it then."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        written = asyncio.ensure_future(super().write(work))
        written.add_done_callback(lambda done: done.exception())
        return cast(T, None)  # as the work of a save returns


class Forgetful(Spool):
    """Takes everything and keeps nothing."""

    async def put(self, row: ReportRow, sealed_key: bytes, nights_left: int | None = None) -> None:
        """Not even this."""


class Careless(Spool):
    """Empties itself first, and gives the database what was in it then."""

    def __init__(self, file: Database) -> None:
        super().__init__(file)
        self._own = file

    async def bring_home(self, database: Database, *, vouch: Vouch) -> int:
        rows = await self._own.read(_with_keys)
        await self._own.write(partial(_remove, [row for row, _ in rows]))
        for row, key in rows:
            await database.write(partial(_put, row, key, vouch))
        return len(rows)


class Chatty(Writer):
    """Tells everybody before the COMMIT."""

    def _commit(self, group: list[Any]) -> None:
        with self._engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            for piece in group:
                piece.run(connection)
                piece.tell()


MUTANTS = {
    "": Parts(),
    "acknowledges before the commit": Parts(database=Hasty),
    "a spool that forgets": Parts(spool=Forgetful),
    "a spool that is emptied before the database has it": Parts(spool=Careless),
    "a writer that tells before the commit": Parts(),
}


def exchange(mutant: str) -> Parts:
    """The parts of this mutant, in a process of its own: what no constructor takes is exchanged where it is made."""
    if mutant == "a writer that tells before the commit":
        sqlite.Writer = Chatty  # type: ignore[attr-defined]  # it is imported there
    return MUTANTS[mutant]


def _with_keys(connection: Connection) -> Sequence[tuple[ReportRow, bytes]]:
    keyed = ((row, stored.sealed_key(connection, row.id)) for row in stored.page(connection))
    return [(row, key) for row, key in keyed if key is not None]


def _remove(rows: Sequence[ReportRow], connection: Connection) -> None:
    stored.remove(connection, [row.id for row in rows])


def _put(row: ReportRow, key: bytes, vouch: Vouch, connection: Connection) -> None:
    [vouched] = vouch([row], connection)
    stored.upsert(connection, vouched, sealed_key=key)
