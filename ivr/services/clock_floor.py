"""The moment before which no clock of this line is believed, from what the line keeps: the last night that followed on
the one before it, and the weeks of reports. One look at a clock that is far ahead makes no such night."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from ivr import RELEASED
from ivr.kit.clock import Clock, NotBefore, SystemClock
from ivr.services import nights
from ivr.store import jobs
from ivr.store import reports as stored
from ivr.store.database import Database

BEHIND = (
    "The machine's clock is behind: it shows an earlier day than what is kept here. Days are counted from there on. "
    "Set the clock, and see that it is kept right (NTP): what is saved meanwhile may expire some days early."
)

log = structlog.get_logger()


def floor_of(connection: Connection, zone: str | None) -> datetime | None:
    """The beginning of the newest day that is known to have come, where the line is; None where nothing says so.
    `zone` None: that is not known, and a day is taken off."""
    counted = _day(jobs.last_run(connection, nights.COUNTED))
    if counted is None:
        return None
    day = max(counted, _monday_of_newest_week(connection, counted))
    if zone is None:
        return datetime.combine(day - timedelta(days=1), time(), UTC)
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


async def clock_of(database: Database, zone: str | None = None) -> NotBefore:
    """The machine's clock, as far as it is to be believed. Raises StoreUnavailable."""
    clock = NotBefore(SystemClock(), RELEASED)
    await raised(clock, database, zone)
    return clock


async def raised(clock: NotBefore, database: Database, zone: str | None) -> None:
    """Let a clock know of what is kept. Raises StoreUnavailable."""
    floor = await database.read(lambda connection: floor_of(connection, zone))
    if floor is not None:
        clock.not_before(floor)


class ClockWatch:
    """Lets a serving line's clock know of what is kept. Tells, once each time, that it began to be wrong, and that
    it is right again."""

    def __init__(self, clock: NotBefore, database: Database, zone: str) -> None:
        self._clock = clock
        self._database = database
        self._zone = zone
        self._counted: str | None = None
        self._was_behind = False

    async def look(self) -> None:
        """Raises StoreUnavailable."""
        counted = await self._database.read(lambda connection: jobs.last_run(connection, nights.COUNTED))
        if counted != self._counted:  # once a night: the weeks of all reports are looked at
            await raised(self._clock, self._database, self._zone)
            self._counted = counted
        is_behind = self._clock.is_behind
        if is_behind and not self._was_behind:
            log.warning("the clock is behind what is kept: days are counted from there; set the clock")
        if self._was_behind and not is_behind:
            log.warning("the clock is right again")
        self._was_behind = is_behind


def believed(clock: Clock) -> NotBefore:
    """A clock that shows nothing from before this version."""
    return clock if isinstance(clock, NotBefore) else NotBefore(clock, RELEASED)


def _monday_of_newest_week(connection: Connection, counted: date) -> date:
    """Of reports that are not further ahead of that night than a line may be off without losing count."""
    bound = counted + timedelta(days=nights.MOST_DAYS_OFF)
    year, week, _ = bound.isocalendar()
    newest = stored.newest_week(connection, until=f"{year:04}-W{week:02}")
    try:
        return date.fromisoformat(f"{newest}-1") if newest else date.min
    except ValueError:  # no week at all: another hand wrote it
        return date.min


def _day(written: str | None) -> date | None:
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        return None
