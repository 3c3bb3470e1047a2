"""The statements of notes: sealed bytes in, sealed bytes out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select, update

from ivr.store.tables import note_keys, notes


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A row of `notes`."""

    id: bytes
    report_id: bytes
    epoch: str
    body: bytes
    signer: bytes
    signature: bytes


def add(connection: Connection, row: NoteRow, *, sealed_key: bytes) -> None:
    """A new note and its key."""
    connection.execute(notes.insert().values(asdict(row)))
    connection.execute(note_keys.insert().values(note_id=row.id, sealed_key=sealed_key))


def notes_on(connection: Connection, report_id: bytes) -> Sequence[tuple[NoteRow, bytes | None]]:
    """The notes on a report, each with its sealed key (None if that is gone), by random id."""
    statement = (
        select(notes, note_keys.c.sealed_key)
        .outerjoin(note_keys, note_keys.c.note_id == notes.c.id)
        .where(notes.c.report_id == report_id)
        .order_by(notes.c.id)
    )
    found = [row._asdict() for row in connection.execute(statement)]
    return [(NoteRow(**{name: row[name] for name in NoteRow.__slots__}), row["sealed_key"]) for row in found]


def signed_by(connection: Connection, signer: bytes) -> Sequence[NoteRow]:
    """Every note with this signer's signature."""
    statement = select(notes).where(notes.c.signer == signer).order_by(notes.c.id)
    return [NoteRow(**row._asdict()) for row in connection.execute(statement)]


def change(connection: Connection, row: NoteRow) -> None:
    """The same note with another signature."""
    connection.execute(update(notes).where(notes.c.id == row.id).values(asdict(row)))
