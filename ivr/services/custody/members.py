"""Advocates come and go: a lead adds and removes them, each changes her own passphrase."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ivr.kit.told import Told
from ivr.services.custody.making import make_epoch
from ivr.services.custody.resigning import resign
from ivr.services.custody.sessions import Session, chosen, keys_now
from ivr.services.custody.signing import is_signed
from ivr.services.custody.trust import certified_advocates, locked, row_of, signers
from ivr.store import advocates as stored_advocates
from ivr.store import epochs as stored_epochs
from ivr.store import organisation as stored_organisation
from ivr.store import reports as stored_reports
from ivr.store import rota as stored_rota
from ivr.store.database import Database
from ivr.vault import advocates, epochs, signing
from ivr.vault.advocates import MODERATE, Effort, Locked, Role
from ivr.vault.organisation import Pin, certify, pin_of
from ivr.vault.signing import Signer
from ivr.vault.wrapping import wrap


class NameTaken(Told):
    """There is an advocate of this name already."""


class LastLead(Told):
    """Without her nobody could add anybody or make epochs."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What a removal did: the epochs that were made anew without her, and how much was signed anew."""

    new_epochs: tuple[str, ...]
    signed_anew: int


async def add(
    database: Database, lead: Session, *, name: str, passphrase: str, role: Role, effort: Effort = MODERATE
) -> Sequence[str]:
    """A new advocate, who may open every epoch that the lead may. The epochs.

    Raises NotALead, CannotOpenAll, NameTaken, StoreUnavailable.
    """
    key = lead.lead()
    new = await asyncio.to_thread(advocates.enrol, name, passphrase, role=role, pin=lead.own.pin, effort=effort)

    def add_her(connection: Connection) -> Sequence[str]:
        epoch_keys = keys_now(connection, lead)
        enrol(connection, new, key, epoch_keys)
        return sorted(epoch_keys)

    return await database.alone(add_her)


def enrol(connection: Connection, new: Locked, organisation_key: bytes, epoch_keys: Mapping[str, bytes]) -> None:
    """Certify an advocate and wrap to her what she may open; to a lead the organisation's key too. Raises NameTaken."""
    _remove_planted(connection, new.name, pin_of(organisation_key))
    if any(row.name == new.name for row in stored_advocates.all_advocates(connection)):
        raise NameTaken(f"there is an advocate {new.name} already: choose another name, or remove her first")
    stored_advocates.add(connection, row_of(new, certify(new.claim(), organisation_key)))
    stored_epochs.give(connection, new.id, {epoch: wrap(key, to=new.sealing_key) for epoch, key in epoch_keys.items()})
    if new.role is Role.LEAD:
        stored_organisation.give(connection, new.id, wrap(organisation_key, to=new.sealing_key))


async def names(database: Database, pin: Pin) -> Sequence[str]:
    """Of everybody who has keys, as far as the organisation certified them. Raises StoreUnavailable."""
    return [row.name for row in await database.read(lambda connection: certified_advocates(connection, pin))]


async def remove(database: Database, lead: Session, *, name: str, now: datetime) -> Removal:
    """An advocate goes: her keys and wraps are deleted, epochs that have not begun are made anew without her, and what
    she signed is signed by the lead who removes her. She is not rung any more. What she already read, she has read.

    Raises NotALead, LastLead, UnknownAdvocate, StoreUnavailable.
    """
    key = lead.lead()
    return await database.alone(lambda connection: _remove(connection, lead, key, name=name, now=now))


async def change_passphrase(database: Database, own: Session, *, passphrase: str, effort: Effort = MODERATE) -> None:
    """The same keys under a new passphrase. An older backup of `data` still opens with the old one.

    Raises UnknownAdvocate, StoreUnavailable.
    """
    row = await database.read(lambda connection: chosen(connection, own.own.pin, own.own.name))
    changed = await asyncio.to_thread(advocates.relock, locked(row), own.own, passphrase, effort=effort)
    await database.alone(lambda connection: stored_advocates.replace(connection, row_of(changed, row.certificate)))


def _remove(connection: Connection, lead: Session, key: bytes, *, name: str, now: datetime) -> Removal:
    pin = pin_of(key)
    if _remove_planted(connection, name, pin):
        return Removal((), 0)
    row = chosen(connection, pin, name)
    leads = [other.id for other in certified_advocates(connection, pin) if other.role == Role.LEAD]
    if leads == [row.id]:
        raise LastLead(f"{name} is the only lead: add another with `ivr advocates add NAME --lead` before")
    stored_advocates.remove(connection, row.id)
    stored_organisation.take_away(connection, row.id)
    stored_epochs.take_away(connection, row.id)
    stored_rota.remove_person(connection, row.id)
    signed = resign(
        connection,
        signing.signer_of(row.signing_key),
        public_key=row.signing_key,
        anew_by=Signer.of(lead.own.signing_key),
    )
    begun = {epochs.taking(now.date()), *_begun_too_early(connection, pin, now=now)}
    future = tuple(epoch.id for epoch in stored_epochs.all_epochs(connection) if epoch.id > max(begun))
    for epoch in future:
        stored_epochs.remove(connection, epoch)
        make_epoch(connection, key, epoch)
    return Removal(future, signed)


def _remove_planted(connection: Connection, name: str, pin: Pin) -> bool:
    """Whoever is not certified is not an advocate: her row only takes the name. Whether there was one."""
    certified = {row.id for row in certified_advocates(connection, pin)}
    rows = stored_advocates.all_advocates(connection)
    planted = [row.id for row in rows if row.name == name and row.id not in certified]
    for row_id in planted:
        stored_advocates.remove(connection, row_id)
    return bool(planted)


def _begun_too_early(connection: Connection, pin: Pin, *, now: datetime) -> frozenset[str]:
    """Epochs to come that hold reports, because a clock was wrong. Not those that somebody only wrote there: a planted
    report would keep the months to come open for whoever is removed."""
    trusted = signers(connection, pin)
    rows = stored_reports.of_epochs_after(connection, epochs.taking(now.date()))
    return frozenset(row.epoch for row in rows if is_signed(row, trusted))
