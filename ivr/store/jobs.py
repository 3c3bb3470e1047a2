"""The statements of nightly work: a worker claims it for a day, and it is the only one that does."""

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from ivr.store.tables import jobs


def claim(connection: Connection, name: str, *, day: str) -> bool:
    """Whether this worker does the work of this day (YYYY-MM-DD). True once a day, whoever asks."""
    later = update(jobs).where(jobs.c.name == name, jobs.c.ran_on < day).values(ran_on=day)
    if connection.execute(later).rowcount:
        return True
    if connection.execute(select(jobs.c.name).where(jobs.c.name == name)).first() is not None:
        return False
    try:
        with connection.begin_nested():
            connection.execute(jobs.insert().values(name=name, ran_on=day))
    except IntegrityError:  # another worker's first night is this one
        return False
    return True


def last_run(connection: Connection, name: str) -> str | None:
    """The day (YYYY-MM-DD) that the work was last claimed for, or None."""
    return connection.execute(select(jobs.c.ran_on).where(jobs.c.name == name)).scalar()
