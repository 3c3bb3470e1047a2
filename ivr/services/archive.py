"""What advocates do with reports: list them, open them with a session's keys, confirm, note, export.
The database is only where they lie: what nobody certified has signed is shown as planted or altered."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from nacl.utils import random
from sqlalchemy import Connection

from ivr.engine.asks import Answers
from ivr.flow.line import REQUEST
from ivr.kit.told import Told
from ivr.services.custody.sessions import Session
from ivr.services.custody.signing import is_signed, signed_note, signed_row, statement_of
from ivr.services.custody.trust import Signers, signers
from ivr.services.tagged import CONFIRMED, NEW, TAKEN_BACK
from ivr.store import epochs as stored_epochs
from ivr.store import notes as stored_notes
from ivr.store import reports as stored
from ivr.store.database import Database
from ivr.store.notes import NoteRow
from ivr.store.reports import ENDED, MAX_TURN, ReportRow
from ivr.vault import notes, sealing
from ivr.vault.notes import Note
from ivr.vault.organisation import Pin
from ivr.vault.sealing import Body, Place, Sealed
from ivr.vault.signing import NoteStatement, Signer
from ivr.vault.wrapping import public_of

DONE = "done"
"""Of a request to be called that somebody has dealt with: only this is left of it, so that a late save brings nothing
back."""
NOTE_ID_SIZE = 16


class CannotDecide(Told):
    """What was asked cannot be done with this report; the message says why."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What is known of a report without opening it."""

    id: bytes
    form: str
    epoch: str
    week: str
    consent: str
    state: str
    trusted: bool
    """Its signature is the line's or an advocate's: nobody planted or altered it."""
    ended: bool
    """She came to the end of the form, or has long hung up."""
    together: tuple[bytes, ...] = ()
    """The other rows that the same receipt opens: a report, and what was added to it. Which is which only their bodies
    tell. Told in a list only; empty for what nobody vouches for."""
    nights_left: int | None = None
    """Of a request to be called: it is deleted in so many nights."""

    @property
    def is_request(self) -> bool:
        """Somebody asks to be called; by people: nothing here dials."""
        return self.consent == REQUEST

    @property
    def is_done(self) -> bool:
        """A request that somebody has dealt with. One that another hand calls so does not count."""
        return self.is_request and self.state == DONE and self.trusted


class Seal(StrEnum):
    """What became of a report's seal when an advocate tried it."""

    OPENED = "opened"
    FORGOTTEN = "forgotten"
    """It was taken back. Nobody can ever read it."""
    MISSING = "missing"
    """Its key is gone, and nobody took it back: somebody deleted it in the database."""
    NOT_HERS = "not hers"
    """Its epoch was never given to this advocate."""
    MONTH_LOST = "month lost"
    """Its epoch was given to her, and does not open or is not certified any more: somebody altered it."""
    BROKEN = "broken"
    """Body, key or columns are not the ones that were sealed together."""


@dataclass(frozen=True, slots=True)
class OpenNote:
    """A note on a report. `note` is None where its seal does not open."""

    note: Note | None
    trusted: bool


@dataclass(frozen=True, slots=True)
class OpenReport:
    """A report as its advocate reads it. `day` (YYYY-MM-DD) and `answers` are None unless the seal opened. `adds_to`:
    the report that it was added to with a receipt; None where nobody vouches for one."""

    listed: Listed
    seal: Seal
    day: str | None = None
    answers: Answers | None = None
    notes: tuple[OpenNote, ...] = ()
    is_addition: bool = False
    adds_to: bytes | None = None

    @property
    def trusted(self) -> bool:
        """Signed, and whole. False: somebody planted or altered it, nobody should act on it."""
        return self.listed.trusted and self.seal not in (Seal.BROKEN, Seal.MISSING)


@dataclass(frozen=True, slots=True)
class Archive:
    """The reports of one organisation, for whoever reads them. Every method raises NotSetUp and StoreUnavailable."""

    database: Database
    pin: Pin

    async def page(self, after: bytes = b"", *, limit: int = 100) -> Sequence[Listed]:
        """The next reports in the order of their random ids, which is no order of arrival."""

        def listed(connection: Connection) -> Sequence[Listed]:
            trusted = signers(connection, self.pin)
            rows = stored.page(connection, after, limit=limit)
            together = _together(connection, rows, trusted)
            return [
                _listed(row, trusted, stored.nights_left(connection, row.id), together.get(row.id, ())) for row in rows
            ]

        return await self.database.read(listed)

    async def read(self, report_id: bytes, session: Session) -> OpenReport | None:
        """One report, opened with an advocate's keys; None if there is none."""
        return await self.database.read(lambda connection: _read(connection, report_id, session, self.pin))

    async def decide(self, report_id: bytes, session: Session, *, confirmed: bool) -> bool:
        """Say that a report is believed, or take that back; signed by the advocate. False if it was so already.

        Raises CannotDecide for a report that is gone, taken back, unreadable for her, or planted.
        """
        return await self.database.write(
            lambda connection: _decide(connection, report_id, session, self.pin, CONFIRMED if confirmed else NEW)
        )

    async def done(self, report_id: bytes, session: Session) -> None:
        """Forget a request to be called, now that somebody has dealt with it: its key, and every note on it.

        The database's own leftovers are cleaned by `receipts.forgotten`. Raises CannotDecide for what is no request,
        and for one that is gone, unreadable for her, or planted.
        """
        await self.database.write(lambda connection: _done(connection, report_id, session, self.pin))

    async def note(self, report_id: bytes, session: Session, *, text: str, today: date) -> None:
        """Write a note on a report, sealed like it and signed by the advocate. Raises CannotDecide, NoteTooLong."""
        await self.database.write(lambda connection: _note(connection, report_id, session, self.pin, text, today))


def _together(connection: Connection, rows: Sequence[ReportRow], trusted: Signers) -> dict[bytes, tuple[bytes, ...]]:
    """For each of these that is true, the other true rows that its receipt opens, if there are any."""
    sharing: defaultdict[tuple[str, bytes], list[bytes]] = defaultdict(list)
    for member in stored.sharing(connection, {row.receipt_tag for row in rows if row.receipt_tag is not None}):
        sharing[member.epoch, member.receipt_tag or b""].append(member.id)
    found: dict[bytes, tuple[bytes, ...]] = {}
    for ids in sharing.values():
        several = [stored.find(connection, one) for one in ids] if len(ids) > 1 else []
        true = [row.id for row in several if row is not None and is_signed(row, trusted)]
        found |= {one: tuple(other for other in true if other != one) for one in true}
    return found


def _listed(row: ReportRow, trusted: Signers, nights_left: int | None, together: tuple[bytes, ...] = ()) -> Listed:
    return Listed(
        id=row.id,
        form=row.form,
        epoch=row.epoch,
        week=row.week,
        consent=row.consent,
        state=row.state,
        trusted=is_signed(row, trusted),
        ended=row.turn > ENDED,
        together=together,
        nights_left=nights_left if row.consent == REQUEST else None,
    )


def _read(connection: Connection, report_id: bytes, session: Session, pin: Pin) -> OpenReport | None:
    row = stored.find(connection, report_id)
    if row is None:
        return None
    trusted = signers(connection, pin)
    listed = _listed(row, trusted, stored.nights_left(connection, report_id))
    sealed_key = stored.sealed_key(connection, report_id)
    if row.state == TAKEN_BACK or listed.is_done:
        return OpenReport(listed, Seal.FORGOTTEN)
    if sealed_key is None:
        return OpenReport(listed, Seal.MISSING)
    if row.epoch not in session.epoch_keys:
        was_given = row.epoch in stored_epochs.wraps_for(connection, session.own.id)
        return OpenReport(listed, Seal.MONTH_LOST if was_given else Seal.NOT_HERS)
    body = _body(connection, row, session)
    if body is None:
        return OpenReport(listed, Seal.BROKEN)
    found = tuple(
        _open_note(note, key, session.epoch_keys, trusted) for note, key in stored_notes.notes_on(connection, row.id)
    )
    return OpenReport(
        listed,
        Seal.OPENED,
        day=body.day,
        answers=body.answers,
        notes=found,
        is_addition=body.is_addition,
        adds_to=_added_to(connection, row, session, trusted) if body.is_addition else None,
    )


def _added_to(connection: Connection, row: ReportRow, session: Session, trusted: Signers) -> bytes | None:
    """The report that this was added to: of all true rows with its tag the one that is no addition."""
    for one in _together(connection, [row], trusted).get(row.id, ()):
        other = stored.find(connection, one)
        body = None if other is None else _body(connection, other, session)
        if body is not None and not body.is_addition:
            return one
    return None


def _body(connection: Connection, row: ReportRow, session: Session) -> Body | None:
    """What is in a report, if its seal opens for her."""
    sealed_key, epoch_key = stored.sealed_key(connection, row.id), session.epoch_keys.get(row.epoch)
    if sealed_key is None or epoch_key is None:
        return None
    return sealing.open_body(Sealed(row.body, sealed_key), Place(row.id, row.form, row.epoch), epoch_key=epoch_key)


def _open_note(row: NoteRow, key: bytes | None, epoch_keys: Mapping[str, bytes], trusted: Signers) -> OpenNote:
    epoch_key = epoch_keys.get(row.epoch)
    opened = None
    if key is not None and epoch_key is not None:
        place = notes.Place(row.id, row.report_id, row.epoch)
        opened = notes.open_note(Sealed(row.body, key), place, epoch_key=epoch_key)
    return OpenNote(opened, trusted=opened is not None and is_signed(row, trusted))


def _decide(connection: Connection, report_id: bytes, session: Session, pin: Pin, state: str) -> bool:
    row = _sound(connection, report_id, session, pin)
    if row.consent == REQUEST:
        raise CannotDecide(
            "somebody asks to be called: there is nothing to believe. When it is dealt with: `ivr reports done`"
        )
    if row.turn <= ENDED:
        raise CannotDecide("she may still be on the phone: decide about it when two nights have passed")
    if row.state == state:
        return False
    changed = replace(statement_of(row), state=state)
    if not stored.change(connection, signed_row(changed, Signer.of(session.own.signing_key)), was=row):
        raise CannotDecide("it has just changed: read it again")
    return True


def _done(connection: Connection, report_id: bytes, session: Session, pin: Pin) -> None:
    row = _sound(connection, report_id, session, pin)
    if row.consent != REQUEST:
        raise CannotDecide(
            "it is a report, kept for its time. Whoever made it takes it back with her receipt: `ivr reports withdraw`"
        )
    left = replace(statement_of(row), turn=MAX_TURN, state=DONE, body=sealing.noise())
    stored.take_back(connection, signed_row(left, Signer.of(session.own.signing_key)))


def _note(connection: Connection, report_id: bytes, session: Session, pin: Pin, text: str, today: date) -> None:
    row = _sound(connection, report_id, session, pin)
    place = notes.Place(random(NOTE_ID_SIZE), row.id, row.epoch)
    written = Note(today.isoformat(), session.own.name, text)
    sealed = notes.seal(written, place, epoch_key=public_of(session.epoch_keys[row.epoch]))
    statement = NoteStatement(place.id, place.report_id, place.epoch, sealed.body)
    stored_notes.add(connection, signed_note(statement, Signer.of(session.own.signing_key)), sealed_key=sealed.key)


def _sound(connection: Connection, report_id: bytes, session: Session, pin: Pin) -> ReportRow:
    """A report that this advocate can open and nobody tampered with. Raises CannotDecide."""
    row = stored.find(connection, report_id, locked=True)
    opened = _read(connection, report_id, session, pin)
    if opened is None or row is None:
        raise CannotDecide("there is no such report any more")
    if opened.seal is Seal.FORGOTTEN:
        raise CannotDecide("it is dealt with" if opened.listed.is_done else "it was taken back")
    if opened.seal is Seal.NOT_HERS:
        raise CannotDecide(f"its month was never given to {session.own.name}")
    if opened.seal is Seal.MONTH_LOST:
        raise CannotDecide("its month, or her key to it, was altered: another advocate may open it, or a backup")
    if not opened.trusted:
        raise CannotDecide("it was planted or altered: do not act on it")
    return row
