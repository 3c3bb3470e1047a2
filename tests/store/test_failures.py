"""A database that cannot be used says why, with and its cure: only a damaged one speaks of backups."""

import asyncio
import os
import resource
import signal
import socket
import sqlite3
import struct
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from ivr.store import facts
from ivr.store.database import LOCK_SECONDS, Database, FileDamaged, StoreUnavailable
from ivr.store.failures import Reason
from tests.store.databases import KINDS, POSTGRESQL, database_of

NOBODY = 65534
LARGE = b"x" * 500_000


def paint(connection: Connection) -> None:
    facts.add(connection, "colour", value=LARGE)


async def painted(database: Database) -> None:
    await database.write(paint)


def refused(url: str, work: Callable[[Database], Awaitable[object]] = Database.migrate) -> StoreUnavailable:
    """What somebody is told who tries it."""

    async def main() -> StoreUnavailable:
        database = Database(url)
        with pytest.raises(StoreUnavailable) as told:
            await work(database)
        await database.close()
        return told.value

    told = asyncio.run(main())
    assert ("restore" in str(told)) == (told.reason is Reason.DAMAGED), told
    assert "backup in its place" not in str(told)
    return told


def made(url: str) -> None:
    async def main() -> None:
        database = Database(url)
        await database.migrate()
        await database.close()

    asyncio.run(main())


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that other users may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Another user than root, for whom no permission counts."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@contextmanager
def limited(size: int) -> Iterator[None]:
    """A disk on which no file grows any larger."""
    before, handled = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handled)


def test_a_file_of_another_owner_is_told_as_such(shared: Path) -> None:
    url = f"sqlite:///{shared / 'line.db'}"
    made(url)
    (shared / "line.db").chmod(0 if os.getuid() else 0o600)
    with as_somebody_else():
        told = refused(url)
    assert told.reason is Reason.FORBIDDEN
    assert "may not write" in str(told)
    assert "chown" in str(told)


def test_a_folder_in_which_its_log_cannot_be_made_is_told_as_such(shared: Path) -> None:
    url = f"sqlite:///{shared / 'line.db'}"
    made(url)
    (shared / "line.db").chmod(0o666)
    shared.chmod(0o555)
    with as_somebody_else():
        assert refused(url, painted).reason is Reason.FORBIDDEN


def test_a_log_of_another_owner_is_told_as_such(shared: Path) -> None:
    url = f"sqlite:///{shared / 'line.db'}"
    made(url)
    with closing(sqlite3.connect(shared / "line.db", isolation_level=None)) as other:
        other.execute("INSERT INTO facts VALUES ('colour', x'00')")
        shared.chmod(0o777)
        (shared / "line.db").chmod(0o666)
        for log in ("line.db-wal", "line.db-shm"):
            (shared / log).chmod(0 if os.getuid() else 0o600)
        with as_somebody_else():
            assert refused(url, painted).reason is Reason.FORBIDDEN


def test_a_full_disk_is_told_as_such_and_what_is_on_it_is_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'line.db'}"
    made(url)
    with limited(200_000):
        told = refused(url, painted)
    assert told.reason is Reason.FULL
    assert "make room" in str(told)
    with closing(sqlite3.connect(tmp_path / "line.db")) as looking:
        assert looking.execute("PRAGMA quick_check").fetchone() == ("ok",)


def test_a_full_database_is_told_as_a_full_disk(tmp_path: Path) -> None:
    def fill(connection: Connection) -> None:
        connection.execute(text("PRAGMA max_page_count=1"))  # SQLite makes it as many as there are
        paint(connection)

    url = f"sqlite:///{tmp_path / 'line.db'}"
    made(url)
    assert refused(url, lambda database: database.write(fill)).reason is Reason.FULL


def test_a_locked_file_is_told_in_seconds_whoever_waits_for_it(tmp_path: Path) -> None:
    """No time is measured here: a reader needs no lock, and whoever writes asks to wait no longer than that."""
    url = f"sqlite:///{tmp_path / 'line.db'}"
    made(url)

    async def alone(database: Database) -> None:
        await database.alone(paint, wait_seconds=0.1)

    with closing(sqlite3.connect(tmp_path / "line.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        made(url)  # what is up to date needs no lock
        for work in (painted, alone):
            told = refused(url, work)
            assert told.reason is Reason.LOCKED
            assert "locked" in str(told)
            assert "fuser" in str(told)
        other.rollback()
    assert LOCK_SECONDS <= 5


def test_a_file_that_somebody_holds_alone_is_told_as_locked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'line.db'}"
    made(url)
    with closing(sqlite3.connect(tmp_path / "line.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("INSERT INTO facts VALUES ('colour', x'00')")
        assert refused(url).reason is Reason.LOCKED


@pytest.mark.parametrize("noise", [b"garbage" * 2000, b"SQLite format 3\0" + b"\xff" * 8000])
def test_garbage_is_told_as_damaged_with_the_backup_as_its_cure(tmp_path: Path, noise: bytes) -> None:
    (tmp_path / "line.db").write_bytes(noise)
    told = refused(f"sqlite:///{tmp_path / 'line.db'}")
    assert isinstance(told, FileDamaged)
    assert "ivr restore" in str(told)


def test_a_file_that_was_cut_short_is_told_as_damaged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'line.db'}"
    made(url)
    whole = (tmp_path / "line.db").read_bytes()
    (tmp_path / "line.db").write_bytes(whole[: 2 * 4096])
    assert refused(url).reason is Reason.DAMAGED


def test_a_folder_or_file_that_is_not_there_is_told_as_missing(tmp_path: Path) -> None:
    assert refused(f"sqlite:///{tmp_path / 'line.db'}", painted).reason is Reason.MISSING
    (tmp_path / "file").write_text("")
    assert refused(f"sqlite:///{tmp_path / 'file' / 'line.db'}").reason is Reason.MISSING
    told = refused("sqlite:////proc/nowhere/line.db")
    assert (told.reason, "its directory exists" in str(told)) == (Reason.MISSING, True)


# PostgreSQL

needs_postgresql = pytest.mark.skipif("postgresql" not in KINDS, reason="no PostgreSQL answers")


def test_a_server_that_is_not_there_is_told_as_such() -> None:
    for url in ("postgresql://ana:geheim@127.0.0.1:1/line", "postgresql://ana:geheim@nowhere.invalid/line"):
        told = refused(url)
        assert told.reason is Reason.UNREACHABLE
        assert "PostgreSQL runs" in str(told)
        assert "geheim" not in str(told)


@needs_postgresql
def test_a_database_or_a_user_that_is_not_there_is_told_as_such() -> None:
    there = make_url(POSTGRESQL)
    no_database = refused(there.set(database="nowhere").render_as_string(hide_password=False))
    assert (no_database.reason, "createdb" in str(no_database)) == (Reason.MISSING, True)
    nobody = refused(there.set(username="nobody_here").render_as_string(hide_password=False))
    assert (nobody.reason, "user and password" in str(nobody)) == (Reason.REFUSED, True)


def test_a_wrong_password_is_told_as_such() -> None:
    """A server that refuses as PostgreSQL does (FATAL, 28P01): the one for tests asks for no password."""
    with refusing("28P01", 'password authentication failed for user "ana"') as port:
        told = refused(f"postgresql://ana:geheim@127.0.0.1:{port}/line")
    assert (told.reason, "user and password" in str(told), "geheim" in str(told)) == (Reason.REFUSED, True, False)


def test_a_server_that_starts_is_told_as_not_there_and_one_that_is_full_of_clients_as_busy() -> None:
    with refusing("57P03", "the database system is starting up") as port:
        assert refused(f"postgresql://ana@127.0.0.1:{port}/line").reason is Reason.UNREACHABLE
    with refusing("53300", "sorry, too many clients already") as port:
        assert refused(f"postgresql://ana@127.0.0.1:{port}/line").reason is Reason.LOCKED


@contextmanager
def refusing(state: str, message: str) -> Iterator[int]:
    """A server that answers whoever connects with this error. Its port."""
    fields = b"".join(
        kind + value.encode() + b"\0" for kind, value in ((b"S", "FATAL"), (b"C", state), (b"M", message))
    )
    error = b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0"

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                while len(asked := client.recv(8192)) == 8:  # for TLS, or GSSAPI: neither
                    client.sendall(b"N")
                if asked:
                    client.sendall(error)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


@needs_postgresql
def test_a_table_that_somebody_has_locked_is_told_in_seconds(tmp_path: Path) -> None:
    with database_of("postgresql", tmp_path) as url:
        made(url)
        schema = dict(make_url(url).query)["options"]
        with psycopg.connect(POSTGRESQL, options=str(schema)) as other:
            other.execute("LOCK TABLE facts IN ACCESS EXCLUSIVE MODE")

            def soon(connection: Connection) -> None:
                connection.execute(text("SET LOCAL lock_timeout = 50"))
                paint(connection)

            told = refused(url, lambda database: database.write(soon))
            other.rollback()
        assert told.reason is Reason.LOCKED

        def wait(connection: Connection) -> object:
            return connection.execute(text("SHOW lock_timeout")).scalar()

        async def main() -> object:
            database = Database(url)
            found = await database.read(wait)
            await database.close()
            return found

        assert asyncio.run(main()) == "5s"


@needs_postgresql
def test_a_user_who_may_only_read_is_told_as_such(tmp_path: Path) -> None:
    def read_only(connection: Connection) -> None:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        paint(connection)

    with database_of("postgresql", tmp_path) as url:
        made(url)
        assert refused(url, lambda database: database.write(read_only)).reason is Reason.FORBIDDEN
