"""An advocate's session: her passphrase in, what she may open out. A lead's also keeps the epochs made ahead."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from ivr.kit.told import Told
from ivr.services.custody.making import make_due_epochs
from ivr.services.custody.trust import LineKeysLost, NotSetUp, certified_advocates, locked
from ivr.store import advocates as stored_advocates
from ivr.store import epochs as stored_epochs
from ivr.store import organisation as stored_organisation
from ivr.store.advocates import AdvocateRow
from ivr.store.database import Database
from ivr.store.epochs import EpochRow
from ivr.vault import advocates, epochs
from ivr.vault.advocates import Role, Unlocked
from ivr.vault.organisation import Pin, is_certified, pin_of
from ivr.vault.wrapping import unwrap


class UnknownAdvocate(Told):
    """No advocate of that name, or several and no name; the message lists them."""


class NotALead(Told):
    """Only a lead may do this."""


class CannotOpenAll(Told):
    """A lead lacks an epoch that others hold."""


class AnotherOrganisation(Told):
    """Her keys were made for another organisation than the one that the settings pin."""


@dataclass(frozen=True, slots=True)
class Session:
    """An advocate with her keys in memory."""

    own: Unlocked
    epoch_keys: Mapping[str, bytes] = field(repr=False)
    """Epoch (YYYY-MM) -> its private key, of every certified epoch that was wrapped to her."""
    organisation_key: bytes | None = field(repr=False)
    """A lead's: what certifies."""
    new_epochs: tuple[str, ...] = ()
    """The epochs that this sign-in made."""

    def lead(self) -> bytes:
        """The organisation's key. Raises NotALead."""
        if self.organisation_key is None:
            raise NotALead(f"{self.own.name} is not a lead: `ivr keys status` names who is")
        return self.organisation_key


async def unlock(database: Database, *, pin: Pin, passphrase: str, now: datetime, name: str | None = None) -> Session:
    """An advocate's session; without a name, the only advocate's. Takes as long as her passphrase's effort.

    A lead's makes the epochs that have become due. Raises WrongPassphrase, UnknownAdvocate, AnotherOrganisation,
    NotSetUp, StoreUnavailable.
    """
    row = await database.read(lambda connection: chosen(connection, pin, name))
    own = await asyncio.to_thread(advocates.unlock, locked(row), passphrase)
    if own.pin != pin:
        raise AnotherOrganisation(
            f"{own.name}'s keys are of another organisation than IVR_ORGANISATION_KEY names: somebody exchanged one "
            "of them. `ivr keys pin` shows hers"
        )
    organisation_key = await database.read(lambda connection: _organisation_key(connection, own, pin))
    made: tuple[str, ...] = ()
    if organisation_key is not None:
        with suppress(LineKeysLost):  # she reads all the same, and it is she who makes new ones
            made = await database.alone(lambda connection: make_due_epochs(connection, organisation_key, now=now))
    epoch_keys = await database.read(lambda connection: epoch_keys_of(connection, own.id, by=own.sealing_key, pin=pin))
    return Session(own, epoch_keys, organisation_key, made)


async def pin_by_passphrase(database: Database, *, passphrase: str, name: str | None = None) -> Pin:
    """Whose advocate she is, when the settings no longer say: it lies under her passphrase, where nobody plants it.

    Raises WrongPassphrase, UnknownAdvocate, NotSetUp, StoreUnavailable.
    """
    rows = [row for row in await database.read(stored_advocates.all_advocates) if row.role in set(Role)]
    own = await asyncio.to_thread(advocates.unlock, locked(_one_of(rows, name)), passphrase)
    return own.pin


def epoch_keys_of(connection: Connection, holder: bytes, *, by: bytes, pin: Pin) -> dict[str, bytes]:
    """The private keys of the certified epochs that were wrapped to a holder, opened `by` her private key."""
    opened: dict[str, bytes] = {}
    for row, key in _unwrapped(connection, holder, by=by):
        claim = epochs.claim(row.id, public_key=row.public_key, k_receipt=epochs.receipt_key(key))
        if is_certified(claim, row.certificate, pin=pin):
            opened[row.id] = key
    return opened


def keys_now(connection: Connection, lead: Session) -> dict[str, bytes]:
    """The epochs that a lead opens at this moment: her session may be older than what others did since.

    Raises NotALead if she is gone, CannotOpenAll if others hold an epoch that she does not, or nobody opens it any
    more: what she gave on would lack it.
    """
    opened, altered = sound_and_altered(connection, lead)
    if altered:
        months = ", ".join(sorted(altered))
        raise CannotOpenAll(f"nobody can open {months}: what certifies it was altered. Put back a backup")
    return opened


def sound_and_altered(connection: Connection, lead: Session) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """`keys_now`, and apart from them the keys of epochs that lost their certificate: nothing is to be sealed to them,
    and no other advocate's wrap opens more. Raises as `keys_now` does, but not for those."""
    pin, own = lead.own.pin, lead.own
    readers = certified_advocates(connection, pin)
    if (own.id, Role.LEAD) not in {(row.id, row.role) for row in readers}:
        raise NotALead(f"{own.name} is not a lead any more")
    opened = epoch_keys_of(connection, own.id, by=own.sealing_key, pin=pin)
    altered = {
        row.id: key
        for row, key in _unwrapped(connection, own.id, by=own.sealing_key)
        if row.id not in opened and epochs.is_pair(key, row.public_key)
    }
    held = {epoch for row in readers for epoch in stored_epochs.wraps_for(connection, row.id)}
    if lacking := held - opened.keys() - altered.keys():
        months = ", ".join(sorted(lacking))
        raise CannotOpenAll(f"{own.name} cannot open {months}, others can: let one of them do this")
    return opened, altered


def chosen(connection: Connection, pin: Pin, name: str | None) -> AdvocateRow:
    """The advocate of this name, or the only one. Raises UnknownAdvocate, NotSetUp."""
    return _one_of(certified_advocates(connection, pin), name)


def _unwrapped(connection: Connection, holder: bytes, *, by: bytes) -> Iterator[tuple[EpochRow, bytes]]:
    wraps = stored_epochs.wraps_for(connection, holder)
    for row in stored_epochs.all_epochs(connection):
        key = unwrap(wraps[row.id], by=by) if row.id in wraps else None
        if key is not None:
            yield row, key


def _one_of(known: Sequence[AdvocateRow], name: str | None) -> AdvocateRow:
    if not known:
        raise NotSetUp(
            "this database has no advocate of this organisation: compare IVR_ORGANISATION_KEY with what `ivr init` "
            "showed. If the database was lost, `ivr restore FOLDER` brings it back"
        )
    found = [row for row in known if name in (None, row.name)]
    if len(found) != 1:
        names = _listed(known)
        raise UnknownAdvocate(
            f"there is no advocate {name}: there are {names}" if name else f"say which advocate you are: {names}"
        )
    return found[0]


def _listed(rows: Sequence[AdvocateRow]) -> str:
    return ", ".join(row.name for row in rows)


def _organisation_key(connection: Connection, own: Unlocked, pin: Pin) -> bytes | None:
    """What a lead holds. A key that is not the pinned one certifies nothing and is not it."""
    wrapped = stored_organisation.wrap_for(connection, own.id) if own.role is Role.LEAD else None
    key = None if wrapped is None else unwrap(wrapped, by=own.sealing_key)
    return key if key is not None and pin_of(key) == pin else None
