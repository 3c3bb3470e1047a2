"""What the printed shares are for: when no lead is left, two of them make one. And printing them anew."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from ivr.kit.told import Told
from ivr.services.custody.making import make_recovery
from ivr.services.custody.members import enrol
from ivr.services.custody.sessions import Session, epoch_keys_of, keys_now
from ivr.store import epochs as stored_epochs
from ivr.store import organisation as stored_organisation
from ivr.store.database import Database
from ivr.vault import advocates, recovery
from ivr.vault.advocates import MODERATE, Effort, Role
from ivr.vault.organisation import Pin, pin_of
from ivr.vault.recovery import RecoveryKey, Share
from ivr.vault.wrapping import unwrap


class SharesVoid(Told):
    """These shares open nothing here: newer ones were printed, or they are another organisation's."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What two shares open: the organisation's key, and epochs of all that there are."""

    key: RecoveryKey
    organisation_key: bytes = field(repr=False)
    epoch_keys: Mapping[str, bytes] = field(repr=False)
    """Epoch (YYYY-MM) -> its private key."""
    missing_epochs: tuple[str, ...]
    """Epochs that were never wrapped to the recovery key, or not truly. There should be none."""


async def open_with_shares(database: Database, one: Share, other: Share, *, pin: Pin) -> Recovered:
    """What these shares open, without changing anything: the drill.

    Raises SharesDiffer, SharesVoid, StoreUnavailable.
    """
    key = recovery.join(one, other)
    return await database.read(lambda connection: _opened(connection, key, pin))


async def recover(
    database: Database, found: Recovered, *, name: str, passphrase: str, effort: Effort = MODERATE
) -> Sequence[str]:
    """A new lead, from what the shares opened. The epochs that she may open. Raises NameTaken, StoreUnavailable."""
    pin = pin_of(found.organisation_key)
    new = await asyncio.to_thread(advocates.enrol, name, passphrase, role=Role.LEAD, pin=pin, effort=effort)

    def add_her(connection: Connection) -> Sequence[str]:
        now = _opened(connection, found.key, pin)  # others may have changed things since
        enrol(connection, new, now.organisation_key, now.epoch_keys)
        return sorted(now.epoch_keys)

    return await database.alone(add_her)


async def print_shares(database: Database, lead: Session) -> tuple[Share, ...]:
    """Three new shares; those printed before open nothing from now on. Raises NotALead, StoreUnavailable."""
    key = lead.lead()
    return await database.alone(
        lambda connection: make_recovery(connection, key, epoch_keys=keys_now(connection, lead))
    )


def _opened(connection: Connection, key: RecoveryKey, pin: Pin) -> Recovered:
    wrapped = stored_organisation.wrap_for(connection, key.id)
    organisation_key = None if wrapped is None else unwrap(wrapped, by=key.private_key)
    if organisation_key is None or pin_of(organisation_key) != pin:
        raise SharesVoid(
            "these shares open nothing here: newer ones were printed, or they belong to another organisation"
        )
    opened = epoch_keys_of(connection, key.id, by=key.private_key, pin=pin)
    every = {row.id for row in stored_epochs.all_epochs(connection)}
    return Recovered(key, organisation_key, opened, tuple(sorted(every - set(opened))))
