"""By which PIN somebody who answers callers is known on the phone, and how calls ended, counted."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    # Not as a batch: SQLite would make the table anew, and whoever refers to it (shifts, switches) goes with the old.
    op.add_column("people", sa.Column("pin_tag", sa.LargeBinary(16), nullable=True))
    op.create_index("ix_people_pin_tag", "people", ["pin_tag"], unique=True)
    op.create_table(
        "tallies",
        sa.Column("week", sa.String(8), primary_key=True, nullable=False),
        sa.Column("kind", sa.String(16), primary_key=True, nullable=False),
        sa.Column("what", sa.String(16), primary_key=True, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
