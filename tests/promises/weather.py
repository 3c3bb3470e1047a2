"""A database that may be away, and may commit and lose the answer."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from ivr.store.database import Database, StoreUnavailable

T = TypeVar("T")


class Weather(Database):
    """Fair unless it is told otherwise."""

    away = False
    deaf = False

    async def read(self, work: Callable[[Connection], T], *, snapshot: bool = False) -> T:
        self._blows()
        return await super().read(work, snapshot=snapshot)

    async def write(self, work: Callable[[Connection], T]) -> T:
        self._blows()
        done = await super().write(work)
        if self.deaf:
            raise StoreUnavailable("the answer was lost")
        return done

    def _blows(self) -> None:
        if self.away:
            raise StoreUnavailable("away")
