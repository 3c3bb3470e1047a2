"""The conferences in which callers and those who took their calls meet: who enters and leaves them, and that nobody is
left alone in one. Whoever leaves ends the talk; the other one is taken out by request, which is made again until the
phone company has confirmed it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection

from ivr.carrier.rest import Calls
from ivr.kit.clock import Clock
from ivr.services import offering
from ivr.services.offering import OVER
from ivr.store import conferences as rooms
from ivr.store import live as stored
from ivr.store.database import Database, StoreUnavailable
from ivr.store.live import TransferRow, milliseconds

EMPTIED_EVERY = timedelta(seconds=10)
"""So often it is asked for again that nobody is left in the room of a talk that is over."""

T = TypeVar("T")


async def in_time(done: Awaitable[T], seconds: float) -> T:
    """Raises StoreUnavailable, also where the database does not answer in time: somebody waits on the phone."""
    try:
        async with asyncio.timeout(seconds):
            return await done
    except TimeoutError as error:
        raise StoreUnavailable("the database of live calls does not answer in time: see whether it is busy") from error


@dataclass(frozen=True, slots=True)
class Conferences:
    """`tell` lets the phone company be told while nobody waits for it."""

    live: Database
    rest: Calls
    clock: Clock
    live_seconds: float
    tell: Callable[[Coroutine[object, object, bool]], object]

    async def has_gone(self, callers: Sequence[bytes]) -> bool:
        """Whether the caller is known to have hung up: what the phone company still asks then rings nobody."""
        return await self._read(lambda connection: rooms.has_hung_up(connection, callers))

    async def entered(self, callers: Sequence[bytes]) -> None:
        """The caller is in the conference. Whoever took the call may have hung up on the way there: then nobody comes,
        and the caller goes on from there."""
        now = self.clock.now()

        def left(connection: Connection) -> list[TransferRow]:
            rows = [row for caller in callers for row in stored.transfers_of(connection, caller)]
            return [row for row in rows if row.taken_by is not None and offering.is_just_over(row, now)]

        self.empty(await self._write(left))

    async def left(self, callers: Sequence[bytes], room: str) -> None:
        """The caller has left this conference, by whatever way; their later ones are others."""

        def end(connection: Connection) -> list[TransferRow | None]:
            rows = [row for caller in callers for row in stored.transfers_of(connection, caller) if row.room == room]
            return [offering.talk_over(connection, row, self.clock.now()) for row in rows]

        self.empty(row for row in await self._write(end) if row is not None)

    async def joined(self, leg: str) -> None:
        """Whoever took the call is in the conference; the caller may have hung up while they were on the way there."""
        now = self.clock.now()

        def left(connection: Connection) -> list[TransferRow]:
            talk = offering.talk_of(connection, leg)
            return [talk[1]] if talk is not None and offering.is_just_over(talk[1], now) else []

        self.empty(await self._write(left))

    async def left_by(self, leg: str) -> bool:
        """Whoever took the call has left the conference, by whatever way. Whether their leg is known to be over."""

        def end(connection: Connection) -> tuple[bool, TransferRow | None]:
            talk = offering.talk_of(connection, leg)
            if talk is None:
                return False, None
            offer, transfer = talk
            return offer.engaged is None, offering.talk_over(connection, transfer, self.clock.now())

        is_over, talk = await self._write(end)
        self.empty([] if talk is None else [talk])
        return is_over

    async def empty_rooms(self) -> None:
        """Ask again for every room in which somebody may be left alone: the phone company did not confirm it, or the
        process that was to ask ended before it could."""
        for row in await self._read(rooms.not_emptied):
            await self._emptied(row)

    def empty(self, talks: Iterable[TransferRow]) -> None:
        for row in talks:
            self.tell(self._emptied(row))

    async def _emptied(self, row: TransferRow) -> bool:
        """Take whoever is left in a room out of it. What is not confirmed is asked for again: see `empty_rooms`."""
        is_empty = await self.rest.empty(row.room)
        at = milliseconds(self.clock.now()) if is_empty else None
        with suppress(StoreUnavailable):  # then it is asked for again too
            await self._write(
                lambda connection: stored.change_transfer(connection, row.id, if_in=(OVER,), emptied_at=at)
            )
        return is_empty

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await in_time(self.live.write(work), self.live_seconds)

    async def _read(self, work: Callable[[Connection], T]) -> T:
        return await in_time(self.live.read(work), self.live_seconds)
