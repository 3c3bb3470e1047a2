"""The one thread that writes to a SQLite file. What waits for it is committed together: one fsync for all of them.
A piece is told its result after the commit and never before; no piece is ever run twice."""

import errno
from asyncio import to_thread, wrap_future
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine

MOST_AT_ONCE = 256
"""Pieces of one commit: the first of them waits for all of them."""

T = TypeVar("T")


class DatabaseClosed(OSError):
    """Somebody writes or reads after `close`."""

    def __init__(self) -> None:
        super().__init__(errno.EBADF, "this database was closed")


class TransactionLost(OSError):
    """The transaction ended in the middle of somebody's work, and with it the work of all who shared it."""

    def __init__(self) -> None:
        super().__init__(errno.EIO, "a transaction was lost with the work of one who shared it")


class Writer:
    """Writes through `engine`, which it owns. Its thread begins with the first piece and ends with `close`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.most_at_once = MOST_AT_ONCE
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._queued: deque[_Piece[Any]] = deque()  # Any: each piece has a result of its own type

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run it in a savepoint of a transaction that it shares, in the order in which pieces came.

        Raises what it raises (its neighbours do not notice), or what the transaction failed at, which fails them all.
        Whoever stops waiting disturbs nobody: a piece that has begun goes on, one that has not is left out.
        """
        piece = _Piece(work)
        self._queued.append(piece)
        # One call for each piece; all but the first find nothing left of the group that they came with.
        submitted(self._thread, self._commit_what_is_queued)
        return await wrap_future(piece.outcome)

    async def outside(self, work: Callable[[Connection], T]) -> T:
        """Run it on this thread when its turn comes, in no transaction: it begins its own, or needs none."""
        return await wrap_future(submitted(self._thread, partial(connected, self._engine, work)))

    async def close(self) -> None:
        """Commit what is queued, end the thread, let go of the connection."""
        await to_thread(self._thread.shutdown)
        self._engine.dispose()

    def _commit_what_is_queued(self) -> None:
        taken: list[_Piece[Any]] = []
        with suppress(IndexError):
            while len(taken) < self.most_at_once:
                taken.append(self._queued.popleft())
        group = [piece for piece in taken if piece.outcome.set_running_or_notify_cancel()]
        if group:
            self._commit(group)

    def _commit(self, group: "list[_Piece[Any]]") -> None:
        try:
            with self._engine.connect() as connection, connection.begin():
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                for piece in group:
                    piece.run(connection)
        except BaseException as error:  # whatever it is: somebody waits for each of them
            for piece in group:
                piece.lose(error)
        else:
            for piece in group:
                piece.tell()


class _Piece(Generic[T]):
    """One work of a group, and what became of it until that may be told."""

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self.outcome: Future[T] = Future()
        self._work = work
        self._tell: Callable[[], None] | None = None
        self._failed = False

    def run(self, connection: Connection) -> None:
        """In a savepoint of its own. Raises TransactionLost, or what the database fails at in undoing it."""
        savepoint = connection.begin_nested()
        try:
            result = self._work(connection)
            savepoint.commit()
        except BaseException as error:
            self._failed = True
            self._tell = partial(self.outcome.set_exception, error)
            # A full disk, among others, ends the transaction: what follows would be committed line by line.
            if not _in_transaction(connection):
                raise TransactionLost from error
            savepoint.rollback()
        else:
            self._tell = partial(self.outcome.set_result, result)

    def tell(self) -> None:
        """After the commit."""
        assert self._tell is not None, "it was run"
        self._tell()

    def lose(self, error: BaseException) -> None:
        """The transaction failed: so did this piece, unless it had failed before for a reason of its own."""
        if self._failed:
            self.tell()
        else:
            self.outcome.set_exception(error)


def submitted(thread: ThreadPoolExecutor, work: Callable[[], T]) -> "Future[T]":
    """Raises DatabaseClosed if the thread has ended, or none can be started."""
    try:
        return thread.submit(work)
    except RuntimeError as error:
        raise DatabaseClosed from error


def connected(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run it with a connection of its own, in no transaction."""
    with engine.connect() as connection:
        return work(connection)


def _in_transaction(connection: Connection) -> bool:
    driver = connection.connection.driver_connection
    assert driver is not None
    return bool(driver.in_transaction)
