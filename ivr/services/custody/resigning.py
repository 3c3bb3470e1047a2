"""When a signer is no longer trusted, what she signed and still verifies is signed by somebody who is."""

from sqlalchemy import Connection

from ivr.services.custody.signing import is_signed, note_statement_of, signed_note, signed_row, statement_of
from ivr.store import notes as stored_notes
from ivr.store import reports as stored_reports
from ivr.vault.signing import Signer


def resign(connection: Connection, signer: bytes, *, public_key: bytes, anew_by: Signer) -> int:
    """Sign anew every report and note that verifies with `public_key`. How many there were.

    What does not verify keeps its signature, and shows as planted or altered as before.
    """
    retired = {signer: public_key}
    reports = [row for row in stored_reports.signed_by(connection, signer) if is_signed(row, retired)]
    for row in reports:
        stored_reports.change(connection, signed_row(statement_of(row), anew_by), was=row)
    notes = [note for note in stored_notes.signed_by(connection, signer) if is_signed(note, retired)]
    for note in notes:
        stored_notes.change(connection, signed_note(note_statement_of(note), anew_by))
    return len(reports) + len(notes)
