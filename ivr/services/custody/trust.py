"""What the organisation's key vouches for. The database is only where things lie: what the pin does not certify is
nobody's, whoever wrote it there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from ivr.kit.told import Told
from ivr.store import advocates as stored_advocates
from ivr.store import epochs as stored_epochs
from ivr.store import line_keys as stored_line_keys
from ivr.store.advocates import AdvocateRow
from ivr.store.database import Database
from ivr.store.epochs import EpochRow
from ivr.store.line_keys import LineKeyRow
from ivr.vault import epochs, identity, signing
from ivr.vault.advocates import Effort, Locked, Role
from ivr.vault.host import HostKey, WrongSecret
from ivr.vault.identity import Identity
from ivr.vault.organisation import Claim, Pin, is_certified
from ivr.vault.signing import Signer
from ivr.vault.wrapping import unwrap

Signers = Mapping[bytes, bytes]
"""Signer (8 bytes, as rows name it) -> the public key that verifies what it signed."""


class NotSetUp(Told):
    """There are no keys to work with, or not this organisation's; the message says what makes them."""


class LineKeysLost(Told):
    """The line cannot work: its own keys do not open under this IVR_SECRET, were altered, or open no epoch. Advocates
    read on, and no report is lost; the message says what to do."""


@dataclass(frozen=True, slots=True)
class LineKeys:
    """What a line works with."""

    signer: Signer
    sealing_key: bytes = field(repr=False)
    site_salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LineEpoch:
    """An epoch as far as the line may know it: reports are sealed to `public_key`."""

    id: str
    public_key: bytes
    receipt_key: bytes = field(repr=False)
    """K_receipt."""


async def require_line(database: Database, pin: Pin) -> None:
    """Whether the line's own keys lie there, without its secret. Raises NotSetUp, LineKeysLost, StoreUnavailable."""
    await database.read(lambda connection: certified_line(connection, pin))


async def line_keys_of(database: Database, host: HostKey, pin: Pin) -> LineKeys:
    """The line's own keys. Raises NotSetUp, LineKeysLost, StoreUnavailable."""
    return await database.read(lambda connection: line_keys_in(connection, host, pin))


def line_keys_in(connection: Connection, host: HostKey, pin: Pin) -> LineKeys:
    """The line's own keys. Raises NotSetUp, LineKeysLost."""
    row = certified_line(connection, pin)
    try:
        private = identity.open_private(row.sealed, identity_of(row), host=host)
    except WrongSecret as error:
        raise LineKeysLost(
            "the line's keys were made under another IVR_SECRET: start it with the secret that it was set up with. "
            "If that is lost, a lead makes new keys with `ivr keys roll`; no report is lost"
        ) from error
    salt = unwrap(row.site_salt, by=private.sealing_key)
    if salt is None:
        raise LineKeysLost("the line's salt does not open: a lead makes new keys with `ivr keys roll`")
    return LineKeys(Signer.of(private.signing_key), private.sealing_key, salt)


def keys_to_sign_with(connection: Connection, host: HostKey, pin: Pin) -> LineKeys:
    """The same, and nobody replaces them until this transaction ends: who rolls them signs anew what lies there, and
    would miss what comes. Ask for them before anything of reports is locked. Raises NotSetUp, LineKeysLost."""
    keys = line_keys_in(connection, host, pin)
    while not stored_line_keys.exists(connection, keys.signer.id):
        keys = line_keys_in(connection, host, pin)
    return keys


def certified_line(connection: Connection, pin: Pin) -> LineKeyRow:
    """The line's keys as they lie there, under the name that reports call them by. Raises NotSetUp, LineKeysLost."""
    certified = _certified_lines(connection, pin)
    if not certified:
        signers(connection, pin)  # where nobody at all is this organisation's, it is not the line that is missing
        raise LineKeysLost(
            "the line's own keys are gone from this database or were altered, and what it signed shows as planted "
            "until that is mended: a lead makes new ones with `ivr keys roll`. For what shows as planted even then, "
            "only a backup vouches"
        )
    return certified[0]


def line_epochs(connection: Connection, keys: LineKeys, pin: Pin) -> dict[str, LineEpoch]:
    """Every epoch that the line may use, the oldest first: certified, and its K_receipt opens."""
    return usable(stored_epochs.all_epochs(connection), keys, pin)


def usable(rows: Sequence[EpochRow], keys: LineKeys, pin: Pin) -> dict[str, LineEpoch]:
    """Those of these epochs that the line may use."""
    opened = (_opened(row, keys, pin) for row in rows)
    return {epoch.id: epoch for epoch in opened if epoch is not None}


def certified_advocates(connection: Connection, pin: Pin) -> Sequence[AdvocateRow]:
    """The advocates, by name. Whoever is not certified is not one."""
    known = [row for row in stored_advocates.all_advocates(connection) if row.role in set(Role)]
    return [row for row in known if is_certified(locked(row).claim(), row.certificate, pin=pin)]


def signers(connection: Connection, pin: Pin) -> Signers:
    """Whose signature under a report or a note counts: the advocates', and the line's as long as its keys are whole.
    Raises NotSetUp where there is nobody: this database is not this organisation's."""
    keys = [row.signing_key for row in certified_advocates(connection, pin)]
    keys += [row.signing_key for row in _certified_lines(connection, pin)[:1]]
    if not keys:
        is_empty = not (stored_line_keys.all_line_keys(connection) or stored_advocates.all_advocates(connection))
        raise NotSetUp(
            "this database holds no keys yet: run `ivr init`, or bring a lost line back with `ivr restore FOLDER`"
            if is_empty
            else "the keys in this database are not this organisation's: compare IVR_ORGANISATION_KEY with "
            "what `ivr init` showed, and the database with its backup"
        )
    return {signing.signer_of(key): key for key in keys}


def identity_of(row: LineKeyRow) -> Identity:
    """A line's public keys."""
    return Identity(row.signing_key, row.sealing_key)


def line_claim(row: LineKeyRow) -> Claim:
    """What the certificate of a line's keys says."""
    return identity_of(row).claim(row.site_salt)


def locked(row: AdvocateRow) -> Locked:
    """An advocate, from a row whose role is one."""
    return Locked(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        sealing_key=row.sealing_key,
        signing_key=row.signing_key,
        salt=row.salt,
        effort=Effort(row.passes, row.memory),
        wrapped=row.wrapped,
    )


def row_of(advocate: Locked, certificate: bytes) -> AdvocateRow:
    """An advocate as she is stored."""
    return AdvocateRow(
        id=advocate.id,
        name=advocate.name,
        role=advocate.role.value,
        sealing_key=advocate.sealing_key,
        signing_key=advocate.signing_key,
        certificate=certificate,
        salt=advocate.salt,
        passes=advocate.effort.passes,
        memory=advocate.effort.memory,
        wrapped=advocate.wrapped,
    )


def _certified_lines(connection: Connection, pin: Pin) -> Sequence[LineKeyRow]:
    rows = stored_line_keys.all_line_keys(connection)
    named = [row for row in rows if row.signer == signing.signer_of(row.signing_key)]
    return [row for row in named if is_certified(line_claim(row), row.certificate, pin=pin)]


def _opened(row: EpochRow, keys: LineKeys, pin: Pin) -> LineEpoch | None:
    k_receipt = unwrap(row.receipt_key, by=keys.sealing_key)
    if k_receipt is None:
        return None
    claim = epochs.claim(row.id, public_key=row.public_key, k_receipt=k_receipt)
    return LineEpoch(row.id, row.public_key, k_receipt) if is_certified(claim, row.certificate, pin=pin) else None
