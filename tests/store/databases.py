"""Databases to test on: SQLite always, PostgreSQL where one answers. Each test has one of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from nacl.utils import random
from sqlalchemy.engine import make_url

POSTGRESQL = os.environ.get("IVR_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/test")


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


KINDS = ("sqlite", "postgresql") if _answers(POSTGRESQL) else ("sqlite",)
UNTESTED = (
    ""
    if "postgresql" in KINDS
    else "PostgreSQL: none at 127.0.0.1:5432 or IVR_TEST_DATABASE_URL, so the store was tested on SQLite only"
)


@contextmanager
def database_of(kind: str, directory: Path) -> Iterator[str]:
    """The URL of an empty database, gone afterwards: a file in the directory, or a schema of its own."""
    if kind == "sqlite":
        yield f"sqlite:///{directory / 'porchlight.db'}"
        return
    schema = f"porchlight_{random(8).hex()}"
    with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        try:
            options = {"options": f"-csearch_path={schema}"}
            yield make_url(POSTGRESQL).update_query_dict(options).render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())
