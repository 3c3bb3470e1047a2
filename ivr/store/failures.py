"""Why a database cannot be used, from what SQLite, PostgreSQL or the operating system said, and what cures it.
Never looks at a statement or a value. Only a database that is damaged speaks of backups."""

import errno
import sqlite3
from enum import StrEnum

from sqlalchemy.exc import TimeoutError as NoConnectionInTime


class Reason(StrEnum):
    """What is the matter, in a word for programs."""

    LOCKED = "locked"
    FORBIDDEN = "forbidden"
    """Another owner, or a read-only disk."""
    FULL = "full"
    DAMAGED = "damaged"
    MISSING = "missing"
    """SQLite's file or its folder; PostgreSQL's database."""
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    """PostgreSQL does not know this user or password."""
    DISK = "disk"
    """The disk itself fails, or was taken away."""
    OTHER = "other"


_SQLITE = {
    sqlite3.SQLITE_BUSY: Reason.LOCKED,
    sqlite3.SQLITE_LOCKED: Reason.LOCKED,
    sqlite3.SQLITE_PERM: Reason.FORBIDDEN,
    sqlite3.SQLITE_AUTH: Reason.FORBIDDEN,
    sqlite3.SQLITE_READONLY: Reason.FORBIDDEN,
    sqlite3.SQLITE_CANTOPEN: Reason.FORBIDDEN,  # the file itself was looked at before: it is its log, or its folder
    sqlite3.SQLITE_FULL: Reason.FULL,
    sqlite3.SQLITE_IOERR: Reason.DISK,
    sqlite3.SQLITE_CORRUPT: Reason.DAMAGED,
    sqlite3.SQLITE_NOTADB: Reason.DAMAGED,
}
_NO_ROOM = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_TRUNCATE)
"""What SQLite says where a file cannot grow: a full tmpfs, a quota, a limit on the size of files."""

_SYSTEM = {
    errno.EACCES: Reason.FORBIDDEN,
    errno.EPERM: Reason.FORBIDDEN,
    errno.EROFS: Reason.FORBIDDEN,
    errno.ENOSPC: Reason.FULL,
    errno.EDQUOT: Reason.FULL,
    errno.EFBIG: Reason.FULL,
    errno.ENOENT: Reason.MISSING,
    errno.ENOTDIR: Reason.MISSING,
    errno.EEXIST: Reason.MISSING,  # a file where a folder should be
    errno.EISDIR: Reason.MISSING,
    errno.EIO: Reason.DISK,
}

_STATES = {
    "53100": Reason.FULL,
    "53300": Reason.LOCKED,  # too many connections
    "55P03": Reason.LOCKED,
    "40P01": Reason.LOCKED,
    "57014": Reason.LOCKED,
    "57P01": Reason.UNREACHABLE,
    "57P02": Reason.UNREACHABLE,
    "57P03": Reason.UNREACHABLE,
    "42501": Reason.FORBIDDEN,
    "25006": Reason.FORBIDDEN,  # a standby, or a session that only reads
    "28000": Reason.REFUSED,
    "28P01": Reason.REFUSED,
    "3D000": Reason.MISSING,
    "58030": Reason.DISK,
    "XX001": Reason.DAMAGED,
    "XX002": Reason.DAMAGED,
}
"""SQLSTATE, from appendix A of PostgreSQL's manual."""

# While it connects, libpq gives a message and no SQLSTATE; one in another language is not told apart. In this order:
# the server's own words come behind those about the connection.
_SAID = (
    ("password authentication failed", Reason.REFUSED),
    ("no password supplied", Reason.REFUSED),
    ("no pg_hba.conf entry", Reason.REFUSED),
    ("authentication failed", Reason.REFUSED),
    ('FATAL:  role "', Reason.REFUSED),
    ('FATAL:  database "', Reason.MISSING),
    ("too many clients", Reason.LOCKED),
    ("Connection refused", Reason.UNREACHABLE),
    ("No such file or directory", Reason.UNREACHABLE),
    ("timeout", Reason.UNREACHABLE),
    ("timed out", Reason.UNREACHABLE),
    ("failed to resolve", Reason.UNREACHABLE),
    ("could not translate host name", Reason.UNREACHABLE),
    ("No route to host", Reason.UNREACHABLE),
    ("Network is unreachable", Reason.UNREACHABLE),
    ("starting up", Reason.UNREACHABLE),
    ("shutting down", Reason.UNREACHABLE),
    ("closed the connection", Reason.UNREACHABLE),
)

SQLITE_CURES = {
    Reason.LOCKED: (
        "another process has it locked. It is whole: try again in a minute. If it stays so, find that process with "
        "`fuser -v` and the name of the file, and end it"
    ),
    Reason.FORBIDDEN: (
        "this user may not write to the file or to its folder. It is whole: work as the user that the line runs as, "
        "give file and folder to this one (`chown -R`), or see that the disk is not mounted read-only"
    ),
    Reason.FULL: "there is no room for it (disk, quota or limit). What is in it is whole: make room",
    Reason.DAMAGED: (
        "the file is damaged. Stop the line, move the file away and keep it, and bring the newest backup back with "
        "`ivr restore FOLDER`"
    ),
    Reason.MISSING: "there is no such file: check that its directory exists and is the right one (IVR_DATABASE_URL)",
    Reason.DISK: "its disk fails or is gone: see the log of the operating system",
    Reason.OTHER: "if it happens again, tell whoever maintains Porchlight",
}
POSTGRESQL_CURES = {
    Reason.LOCKED: "the server is busy, or somebody has its tables locked: try again in a minute",
    Reason.FORBIDDEN: "PostgreSQL lets this user read and not write: grant it the tables, or name the primary server",
    Reason.FULL: "the server's disk is full. What is in it is whole: make room there",
    Reason.DAMAGED: (
        "PostgreSQL says that it is damaged. Stop the line, keep a copy of it, and bring the newest backup back into "
        "a new database with `ivr restore FOLDER`"
    ),
    Reason.MISSING: "there is no such database on that server: make it (`createdb`), or correct IVR_DATABASE_URL",
    Reason.UNREACHABLE: "no server answers there: check that PostgreSQL runs, and host and port in IVR_DATABASE_URL",
    Reason.REFUSED: "PostgreSQL does not let this user in: check user and password in IVR_DATABASE_URL",
    Reason.DISK: "the server's disk fails: see its log",
    Reason.OTHER: "check that PostgreSQL runs and lets this user in (IVR_DATABASE_URL)",
}


def reason_of(error: BaseException) -> Reason:
    """Why the database failed with this error: SQLAlchemy's, or the operating system's."""
    said = getattr(error, "orig", None) or error
    if isinstance(said, sqlite3.Error):
        code = getattr(said, "sqlite_errorcode", 0)
        return Reason.FULL if code in _NO_ROOM else _SQLITE.get(code & 0xFF, Reason.OTHER)
    if isinstance(said, OSError):
        return _SYSTEM.get(said.errno or 0, Reason.OTHER)
    if isinstance(said, NoConnectionInTime):
        return Reason.LOCKED
    state: object = getattr(said, "sqlstate", None)
    if isinstance(state, str):
        return _STATES.get(state, Reason.OTHER)
    words = str(said)
    return next((reason for beginning, reason in _SAID if beginning in words), Reason.OTHER)
