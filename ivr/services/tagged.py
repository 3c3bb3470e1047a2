"""The rows that one receipt opens: a report, and what was added to it. They are found, changed and taken back without
being read. Everything here is a part of its caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection

from ivr.flow.line import CONSENTS
from ivr.services.custody.signing import is_signed, signed_row, statement_of
from ivr.services.custody.trust import LineEpoch, LineKeys, LineKeysLost, signers, usable
from ivr.store import contributions
from ivr.store import epochs as stored_epochs
from ivr.store import reports as stored
from ivr.store.reports import MAX_TURN, ReportRow
from ivr.vault import receipts, sealing
from ivr.vault.organisation import Pin

NEW = "new"
CONFIRMED = "confirmed"
TAKEN_BACK = "taken_back"


class Withdrawal(StrEnum):
    """What came of taking a report back."""

    TAKEN_BACK = "taken back"
    ALREADY = "already taken back"
    UNKNOWN = "unknown"
    """No living report has this receipt: never, or its time is over."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """What answers to a receipt: `true`, as the line or an advocate signed it, and `planted`. An addition is known by
    its body only: in clear columns it is a report like the other."""

    true: Sequence[ReportRow]
    planted: Sequence[ReportRow]
    epochs: Mapping[str, LineEpoch]
    """Those that were asked, by their months."""
    unasked: Sequence[str]
    """The months that could not be."""

    @property
    def living(self) -> Sequence[ReportRow]:
        return [row for row in self.true if row.state != TAKEN_BACK]

    def require_all(self) -> None:
        """That no report has a receipt is known only where every month can be asked. Raises LineKeysLost."""
        if self.unasked:
            raise LineKeysLost(
                f"no report that the line can find has this receipt, and in {', '.join(self.unasked)} it finds none: "
                "`ivr keys status` says why, and what to do. Then try again"
            )

    @property
    def state(self) -> str:
        states = {row.state for row in self.true}
        return CONFIRMED if CONFIRMED in states else TAKEN_BACK if states == {TAKEN_BACK} else NEW

    @property
    def consent(self) -> str:
        """The least of what each may be used for."""
        return min((row.consent for row in self.true), key=_grade, default=CONSENTS[0])


def tagged(connection: Connection, slow: bytes, keys: LineKeys, pin: Pin, *, locked: bool = False) -> Tagged:
    """What answers to a receipt, by its slow hash. `locked`: until the transaction ends nobody takes it back, adds to
    it or changes it. Raises NotSetUp.
    """
    rows = stored_epochs.all_epochs(connection)
    epochs = usable(rows, keys, pin)
    tags = {epoch.id: receipts.tag(epoch.receipt_key, slow) for epoch in epochs.values()}
    found = stored.tagged(connection, tags, lock=receipts.lock_name(slow) if locked else None)
    trusted = signers(connection, pin) if found else {}
    true = [row for row in found if is_signed(row, trusted)]
    unasked = [row.id for row in rows if row.id not in epochs]
    return Tagged(true, [row for row in found if row not in true], epochs, unasked)


def withdraw(connection: Connection, slow: bytes, keys: LineKeys, pin: Pin) -> Withdrawal:
    """Take back whatever answers to a receipt, also where nothing is true any more: somebody may have altered her row,
    and she wants it gone. Raises NotSetUp, LineKeysLost."""
    of = tagged(connection, slow, keys, pin, locked=True)
    if not of.true and not of.planted:
        of.require_all()
        return Withdrawal.UNKNOWN
    return Withdrawal.TAKEN_BACK if take_back(connection, of, slow, keys) else Withdrawal.ALREADY


def take_back(connection: Connection, of: Tagged, slow: bytes, keys: LineKeys) -> bool:
    """Make it unreadable for good: keys, notes and whatever was derived are deleted, and a tombstone stays of each row.
    False if that was done before."""
    # Somebody may have copied her tag to a row of her own, or written here that it was taken back.
    left = [
        row
        for row in (*of.true, *of.planted)
        if row.state != TAKEN_BACK or stored.sealed_key(connection, row.id) is not None
    ]
    for row in left:
        stored.take_back(connection, _tombstone(row, keys, is_true=row in of.true))
    contributions.forget(connection, receipts.handle(slow))
    return bool(left)


def change_consent(connection: Connection, of: Tagged, slow: bytes, keys: LineKeys, *, consent: str) -> None:
    """What is true and lives may be used for this from now on, and for no more: what was derived for more is deleted.
    What is planted keeps its signature, and shows."""
    for row in of.living:
        stored.change(connection, signed_row(replace(statement_of(row), consent=consent), keys.signer), was=row)
    allowed = CONSENTS[: CONSENTS.index(consent) + 1]
    contributions.forget_above(connection, receipts.handle(slow), grades=allowed)


def _grade(consent: str) -> int:
    """What nobody knows allows nothing."""
    return CONSENTS.index(consent) if consent in CONSENTS else -1


def _tombstone(row: ReportRow, keys: LineKeys, *, is_true: bool) -> ReportRow:
    """What stays, so that a late save writes nothing and a doubled withdrawal is understood. What was planted or
    altered keeps its signature, and shows."""
    statement = replace(statement_of(row), turn=MAX_TURN, consent=CONSENTS[0], state=TAKEN_BACK, body=sealing.noise())
    return signed_row(statement, keys.signer) if is_true else replace(row, **asdict(statement))
