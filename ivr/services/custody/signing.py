"""Signatures under rows: who last vouched for a report or a note."""

from dataclasses import asdict, fields

from ivr.services.custody.trust import Signers
from ivr.store.notes import NoteRow
from ivr.store.reports import ReportRow
from ivr.vault import signing
from ivr.vault.signing import NoteStatement, Signer, Statement


def signed_row(statement: Statement, by: Signer) -> ReportRow:
    """A report's row with somebody's signature."""
    return ReportRow(**asdict(statement), signer=by.id, signature=by.sign(statement))


def signed_note(statement: NoteStatement, by: Signer) -> NoteRow:
    """A note's row with somebody's signature."""
    return NoteRow(**asdict(statement), signer=by.id, signature=by.sign(statement))


def statement_of(row: ReportRow) -> Statement:
    """What the signature of a report is over."""
    return Statement(**{field.name: getattr(row, field.name) for field in fields(Statement)})


def note_statement_of(row: NoteRow) -> NoteStatement:
    """What the signature of a note is over."""
    return NoteStatement(**{field.name: getattr(row, field.name) for field in fields(NoteStatement)})


def is_signed(row: ReportRow | NoteRow, by: Signers) -> bool:
    """Whether one of these signed this row as it lies there."""
    key = by.get(row.signer)
    statement = statement_of(row) if isinstance(row, ReportRow) else note_statement_of(row)
    return key is not None and signing.verify(statement, row.signature, public_key=key)
