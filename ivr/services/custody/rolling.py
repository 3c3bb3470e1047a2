"""New keys for the line: by a lead, when the old ones are lost or somebody may have taken them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ivr.services.custody.making import make_due_epochs, make_line_keys
from ivr.services.custody.resigning import resign
from ivr.services.custody.sessions import Session, sound_and_altered
from ivr.services.custody.trust import identity_of, line_claim
from ivr.store import epochs as stored_epochs
from ivr.store import line_keys as stored_line_keys
from ivr.store.database import Database
from ivr.store.line_keys import LineKeyRow
from ivr.vault import epochs, identity, signing
from ivr.vault.host import HostKey, WrongSecret
from ivr.vault.organisation import is_certified, pin_of
from ivr.vault.signing import Signer
from ivr.vault.wrapping import wrap


@dataclass(frozen=True, slots=True)
class Roll:
    """What a roll did: how many reports and notes were signed anew, and the epochs whose receipts go on."""

    signed_anew: int
    epochs: tuple[str, ...]


async def roll_line_keys(database: Database, lead: Session, host: HostKey, *, now: datetime) -> Roll:
    """The line's keys made anew, sealed under this host's secret. Receipts go on: salt and K_receipts are derived from
    what the lead holds. What the old keys signed, and verifies, is signed by the new ones; then the old are deleted.
    Whose they are, the organisation's certificate says, or the seal of this same secret where that was altered.

    A serving line takes the new ones with its next save. Raises NotALead, CannotOpenAll, StoreUnavailable.
    """
    key = lead.lead()
    return await database.alone(lambda connection: _roll(connection, lead, key, host, now=now))


def _roll(connection: Connection, lead: Session, key: bytes, host: HostKey, *, now: datetime) -> Roll:
    stored_line_keys.hold(connection)  # what is signed with them is there to be signed anew, or comes afterwards
    sound, altered = sound_and_altered(connection, lead)
    old = stored_line_keys.all_line_keys(connection)
    new = make_line_keys(connection, key, host)
    private = identity.open_private(new.sealed, identity_of(new), host=host)
    signer = Signer.of(private.signing_key)
    count = 0
    for row in old:
        if is_certified(line_claim(row), row.certificate, pin=pin_of(key)) or _is_sealed_here(row, host):
            retired = signing.signer_of(row.signing_key)
            count += resign(connection, retired, public_key=row.signing_key, anew_by=signer)
        stored_line_keys.remove(connection, row.signer)
    for epoch, epoch_key in (sound | altered).items():  # the line uses none without its certificate: a backup has that
        k_receipt = epochs.receipt_key(epoch_key)
        stored_epochs.set_receipt_key(connection, epoch, wrap(k_receipt, to=new.sealing_key))
    make_due_epochs(connection, key, now=now)
    return Roll(count, tuple(sorted(sound)))


def _is_sealed_here(row: LineKeyRow, host: HostKey) -> bool:
    """Whether these are keys that this host made, whatever became of their certificate: its secret seals them together
    with their public halves."""
    try:
        identity.open_private(row.sealed, identity_of(row), host=host)
    except WrongSecret:
        return False
    return True
