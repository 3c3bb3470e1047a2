"""Reports, their keys, and whose keys open them."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    _reports()
    _what_is_derived()
    _epochs()
    _people()
    _the_line()


def _reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("form", sa.String(32), nullable=False),
        sa.Column("epoch", sa.String(7), nullable=False),
        sa.Column("week", sa.String(8), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("consent", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("receipt_tag", sa.LargeBinary(16), nullable=True),
        sa.Column("body", sa.LargeBinary(640), nullable=False),
        sa.Column("signer", sa.LargeBinary(8), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "report_keys",
        _belongs_to("report_id", "reports.id"),
        sa.Column("sealed_key", sa.LargeBinary(80), nullable=False),
        sa.Column("nights_left", sa.SmallInteger(), nullable=True),
        sqlite_with_rowid=False,
    )


def _what_is_derived() -> None:
    op.create_table(
        "contributions",
        sa.Column("handle", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("kind", sa.String(16), primary_key=True, nullable=False),
        sa.Column("grade", sa.String(16), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notes",
        sa.Column("id", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("report_id", sa.LargeBinary(16), sa.ForeignKey("reports.id", ondelete="CASCADE"), nullable=False),
        sa.Column("epoch", sa.String(7), nullable=False),
        sa.Column("body", sa.LargeBinary(2064), nullable=False),
        sa.Column("signer", sa.LargeBinary(8), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_notes_report_id", "notes", ["report_id"])
    op.create_table(
        "note_keys",
        _belongs_to("note_id", "notes.id"),
        sa.Column("sealed_key", sa.LargeBinary(80), nullable=False),
        sqlite_with_rowid=False,
    )


def _epochs() -> None:
    op.create_table(
        "epochs",
        sa.Column("id", sa.String(7), primary_key=True, nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("receipt_key", sa.LargeBinary(80), nullable=False),
        sa.Column("certificate", sa.LargeBinary(64), nullable=False),
    )
    op.create_table(
        "epoch_wraps",
        sa.Column(
            "epoch", sa.String(7), sa.ForeignKey("epochs.id", ondelete="CASCADE"), primary_key=True, nullable=False
        ),
        sa.Column("holder", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(80), nullable=False),
    )


def _people() -> None:
    op.create_table(
        "advocates",
        sa.Column("id", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("sealing_key", sa.LargeBinary(32), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(32), nullable=False),
        sa.Column("certificate", sa.LargeBinary(64), nullable=False),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("passes", sa.Integer(), nullable=False),
        sa.Column("memory", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(136), nullable=False),
    )
    op.create_table(
        "organisation_wraps",
        sa.Column("holder", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(80), nullable=False),
    )
    op.create_table(
        "recovery_keys",
        sa.Column("id", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("public_key", sa.LargeBinary(32), nullable=False),
        sa.Column("certificate", sa.LargeBinary(64), nullable=False),
    )


def _the_line() -> None:
    op.create_table(
        "line_keys",
        sa.Column("signer", sa.LargeBinary(8), primary_key=True, nullable=False),
        sa.Column("signing_key", sa.LargeBinary(32), nullable=False),
        sa.Column("sealing_key", sa.LargeBinary(32), nullable=False),
        sa.Column("site_salt", sa.LargeBinary(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(104), nullable=False),
        sa.Column("certificate", sa.LargeBinary(64), nullable=False),
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.String(64), primary_key=True, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(32), primary_key=True, nullable=False),
        sa.Column("ran_on", sa.String(10), nullable=False),
    )


def _belongs_to(name: str, parent: str) -> sa.Column[bytes]:
    parent_key = sa.ForeignKey(parent, ondelete="CASCADE")
    return sa.Column(name, sa.LargeBinary(16), parent_key, primary_key=True, nullable=False)
