"""What is made with the organisation's key: epochs, the line's keys, the recovery key. Each inside a transaction of its
caller's; whoever holds what already exists is found in the database and checked against the key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ivr.services.custody.trust import certified_advocates, certified_line
from ivr.store import epochs as stored_epochs
from ivr.store import line_keys as stored_line_keys
from ivr.store import organisation as stored_organisation
from ivr.store.epochs import EpochRow
from ivr.store.line_keys import LineKeyRow
from ivr.store.organisation import RecoveryRow
from ivr.vault import epochs, identity, organisation, recovery, signing
from ivr.vault.host import HostKey
from ivr.vault.organisation import Pin, certify, is_certified, pin_of
from ivr.vault.wrapping import wrap


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody whom secrets are wrapped to: an advocate, or the recovery key."""

    id: bytes
    sealing_key: bytes


def readers(connection: Connection, pin: Pin) -> Sequence[Holder]:
    """Everybody who may open reports: the advocates and the recovery key, as far as they are certified."""
    people = [Holder(row.id, row.sealing_key) for row in certified_advocates(connection, pin)]
    return [*people, *(Holder(row.id, row.public_key) for row in certified_recoveries(connection, pin))]


def certified_recoveries(connection: Connection, pin: Pin) -> Sequence[RecoveryRow]:
    """The recovery key: one, or none."""
    rows = stored_organisation.recoveries(connection)
    return [row for row in rows if is_certified(recovery.claim(row.id, row.public_key), row.certificate, pin=pin)]


def make_due_epochs(connection: Connection, organisation_key: bytes, *, now: datetime) -> tuple[str, ...]:
    """This month's epoch and three ahead, as far as they are missing. Raises LineKeysLost."""
    _remove_planted(connection, pin_of(organisation_key), now=now)
    existing = {row.id for row in stored_epochs.all_epochs(connection)}
    missing = tuple(epoch for epoch in epochs.due(now.date()) if epoch not in existing)
    for epoch in missing:
        make_epoch(connection, organisation_key, epoch)
    return missing


def _remove_planted(connection: Connection, pin: Pin, *, now: datetime) -> None:
    """Epochs to come that nobody who may read holds: somebody wrote them there, and the true ones were never made."""
    held = {epoch for reader in readers(connection, pin) for epoch in stored_epochs.wraps_for(connection, reader.id)}
    for row in stored_epochs.all_epochs(connection):
        if row.id > epochs.taking(now.date()) and row.id not in held:
            stored_epochs.remove(connection, row.id)


def make_epoch(connection: Connection, organisation_key: bytes, epoch: str) -> None:
    """One epoch: wrapped to every reader, its K_receipt to the line, its private key forgotten."""
    pin = pin_of(organisation_key)
    line = certified_line(connection, pin)
    new = epochs.make(epoch)
    k_receipt = epochs.receipt_key(new.private_key)
    row = EpochRow(
        id=epoch,
        public_key=new.public_key,
        receipt_key=wrap(k_receipt, to=line.sealing_key),
        certificate=certify(epochs.claim(epoch, public_key=new.public_key, k_receipt=k_receipt), organisation_key),
    )
    wraps = {reader.id: wrap(new.private_key, to=reader.sealing_key) for reader in readers(connection, pin)}
    stored_epochs.add(connection, row, wraps=wraps)


def make_line_keys(connection: Connection, organisation_key: bytes, host: HostKey) -> LineKeyRow:
    """The line's own keys, under this host's secret."""
    line, sealed = identity.make(host)
    salt = wrap(organisation.site_salt(organisation_key), to=line.sealing_key)
    row = LineKeyRow(
        signer=signing.signer_of(line.signing_key),
        signing_key=line.signing_key,
        sealing_key=line.sealing_key,
        site_salt=salt,
        sealed=sealed,
        certificate=certify(line.claim(salt), organisation_key),
    )
    stored_line_keys.add(connection, row)
    return row


def make_recovery(
    connection: Connection, organisation_key: bytes, *, epoch_keys: Mapping[str, bytes]
) -> tuple[recovery.Share, ...]:
    """A recovery key in the place of the one before, whose shares are void from now on."""
    for row in stored_organisation.recoveries(connection):
        stored_organisation.take_away(connection, row.id)
        stored_epochs.take_away(connection, row.id)
        stored_organisation.remove_recovery(connection, row.id)
    key, shares = recovery.make()
    certificate = certify(recovery.claim(key.id, key.public_key), organisation_key)
    stored_organisation.add_recovery(connection, RecoveryRow(key.id, key.public_key, certificate))
    stored_organisation.give(connection, key.id, wrap(organisation_key, to=key.public_key))
    stored_epochs.give(
        connection, key.id, {epoch: wrap(private, to=key.public_key) for epoch, private in epoch_keys.items()}
    )
    return shares
