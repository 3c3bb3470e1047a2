"""The statements of nightly work: a worker claims it for a day, and it is the only one that does."""

from datetime import date, timedelta

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from ivr.store.tables import jobs


def claim(connection: Connection, name: str, *, day: str) -> bool:
    """Whether this worker does the work of this day (YYYY-MM-DD). True once a day, whoever asks."""
    if not is_due(connection, name, day=day):
        return False
    before = last_run(connection, name)
    if before is not None:
        same = (jobs.c.name == name, jobs.c.ran_on == before)
        return bool(connection.execute(update(jobs).where(*same).values(ran_on=day)).rowcount)
    try:
        with connection.begin_nested():
            connection.execute(jobs.insert().values(name=name, ran_on=day))
    except IntegrityError:  # another worker's first night is this one
        return False
    return True


def is_due(connection: Connection, name: str, *, day: str) -> bool:
    """Whether the work of this day (YYYY-MM-DD) is still to be done. What says that it was done in days to come was
    written by a clock that was wrong, or by another hand: it must not keep the work from being done."""
    before = last_run(connection, name)
    tomorrow = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    return before is None or not day <= before <= tomorrow


def last_run(connection: Connection, name: str) -> str | None:
    """The day (YYYY-MM-DD) that the work was last claimed for, or None."""
    return connection.execute(select(jobs.c.ran_on).where(jobs.c.name == name)).scalar()
