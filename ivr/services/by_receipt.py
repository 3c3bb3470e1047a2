"""What a caller does with her receipt by phone: whether her report is there, what has become of it, what it may be used
for, and taking it back. Nothing here reads a report, and nothing ever raises for the disk."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from ivr.engine.asks import Gone, Noted, NotNow, Opened, StatusIs, Unsure
from ivr.flow.graph import Form
from ivr.flow.line import CONSENTS
from ivr.kit.time_limits import TimeLimits
from ivr.services.custody.trust import LineKeys, LineKeysLost, NotSetUp, keys_to_sign_with, line_keys_in, line_keys_of
from ivr.services.patience import GivenUp, Patience
from ivr.services.receipts import SlowHashes
from ivr.services.tagged import Tagged, Withdrawal, change_consent, tagged, withdraw
from ivr.store import claims
from ivr.store.database import Database, StoreUnavailable
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin

T = TypeVar("T")


class _NotChanged(Exception):
    """Ends a transaction in which there is nothing to change, so that nothing is claimed either."""


@dataclass(slots=True)
class _Wish:
    """`is_over`: she was told that nobody knows whether it was done, and may wish otherwise by now. `is_made`: all of
    it but the commit, which may succeed though the database says that it failed."""

    is_over: bool = False
    is_made: bool = False


async def nothing_waits() -> int:
    """Brings home what there is where no spool is: nothing."""
    return 0


@dataclass(slots=True)
class LiveReceipts:
    """What receipts open; one per process and event loop. `forms` say what may be consented to; `bring_home`: see
    Reports. Each method answers within `seconds`, whatever the database does."""

    database: Database
    host: HostKey
    pin: Pin
    slow_hashes: SlowHashes
    forms: Mapping[str, Form]
    seconds: float = TimeLimits().save
    patience: Patience = field(default_factory=Patience)
    bring_home: Callable[[], Awaitable[int]] = nothing_waits

    async def open(self, code: str) -> Opened | Gone | NotNow:
        """Which report has this code (twelve digits). Whether it may be tried, `receipt_limit` says."""
        return await self._in_time(self._open(code))

    async def status(self, receipt: bytes) -> StatusIs | Gone | NotNow:
        """What has become of a report, and what it may be used for. `receipt`: what `Opened` gave."""
        return await self._in_time(self.database.read(partial(self._status, receipt)))

    async def change_consent(self, receipt: bytes, consent: str, *, change_id: bytes) -> Noted | Gone | NotNow | Unsure:
        """A report, and what was added to it, may be used for this and no more; what was derived for more is deleted in
        the same transaction. Whoever comes second with a `change_id` (16 bytes) changes nothing: doubled and late
        messages undo nothing newer, nor does what was told as Unsure. Raises ValueError for a consent that the report's
        form does not offer."""
        if consent not in CONSENTS:
            raise ValueError(f"{consent} is no consent: there are {', '.join(CONSENTS)}")
        return await self._wished(partial(self._change, receipt, consent, change_id))

    async def withdraw(self, receipt: bytes) -> Noted | Gone | NotNow | Unsure:
        """Nobody can ever read it again, nor what was added to it; what was derived from it is deleted. It is final:
        doubled it says the same, and what is Unsure may be done all the same. The line's own chores wipe what the
        database's log holds of it, within a minute."""
        return await self._wished(lambda connection, _wish: self._withdraw(receipt, connection))

    async def close(self) -> None:
        """Let what was given up on come to its end. Call it before the database's."""
        await self.patience.close()

    async def _in_time(self, work: Awaitable[T]) -> T | NotNow:
        try:
            return await self.patience.within(self.seconds, work)
        except (StoreUnavailable, NotSetUp, LineKeysLost, TimeoutError):
            return NotNow()

    async def _wished(self, work: Callable[[Connection, _Wish], Noted | Gone]) -> Noted | Gone | NotNow | Unsure:
        """That nothing was changed is said only where the transaction surely came to nothing."""
        wish = _Wish()

        def made(connection: Connection) -> Noted | Gone:
            answer = work(connection, wish)
            wish.is_made = True
            return answer

        try:
            return await self.patience.within(self.seconds, self.database.write(made))
        except _NotChanged:
            return Gone()
        except GivenUp:
            return Unsure()
        except (StoreUnavailable, NotSetUp, LineKeysLost):
            return Unsure() if wish.is_made else NotNow()
        finally:
            wish.is_over = True

    async def _open(self, code: str) -> Opened | Gone:
        keys = await line_keys_of(self.database, self.host, self.pin)
        async with asyncio.timeout(self.seconds):
            slow = await self.slow_hashes.of(code, site_salt=keys.site_salt, gives_way=True)
        is_home = await self._is_home()
        found = await self.database.read(lambda connection: self._opened(connection, slow, keys))
        if isinstance(found, Gone) and not is_home:
            raise StoreUnavailable("a report that waits in the spool may be the one")
        return found

    async def _is_home(self) -> bool:
        """Has everything that waited come into the database?"""
        try:
            await self.bring_home()
        except (StoreUnavailable, NotSetUp, LineKeysLost):
            return False
        return True

    def _opened(self, connection: Connection, slow: bytes, keys: LineKeys) -> Opened | Gone:
        of = tagged(connection, slow, keys, self.pin)
        if not of.true:
            of.require_all()
        return Opened(slow, of.true[0].form, is_gone=not of.living) if of.true else Gone()

    def _status(self, slow: bytes, connection: Connection) -> StatusIs | Gone:
        of = _of(connection, slow, line_keys_in(connection, self.host, self.pin), self.pin)
        return StatusIs(of.state, of.consent) if of.true else Gone()

    def _change(self, slow: bytes, consent: str, change_id: bytes, connection: Connection, wish: _Wish) -> Noted:
        if claims.claim(connection, change_id):
            self._changed(connection, slow, consent)
            if wish.is_over:
                raise GivenUp("she was answered, and may wish otherwise by now")
        return Noted()

    def _changed(self, connection: Connection, slow: bytes, consent: str) -> None:
        keys = keys_to_sign_with(connection, self.host, self.pin)
        of = _of(connection, slow, keys, self.pin, locked=True)
        if not of.living:
            raise _NotChanged
        form = self.forms.get(of.living[0].form)
        if form is not None and consent not in form.consents:
            raise ValueError(f"{form.name} does not offer {consent}")
        change_consent(connection, of, slow, keys, consent=consent)

    def _withdraw(self, slow: bytes, connection: Connection) -> Noted | Gone:
        keys = keys_to_sign_with(connection, self.host, self.pin)
        return Gone() if withdraw(connection, slow, keys, self.pin) is Withdrawal.UNKNOWN else Noted()


def _of(connection: Connection, slow: bytes, keys: LineKeys, pin: Pin, *, locked: bool = False) -> Tagged:
    """What answers to a receipt; if nothing true does, every month was asked. Raises NotSetUp, LineKeysLost."""
    of = tagged(connection, slow, keys, pin, locked=locked)
    if not of.true:
        of.require_all()
    return of
