"""By which PIN somebody who answers callers is known on the phone."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    # Not as a batch: SQLite would make the table anew, and whoever refers to it (shifts, switches) goes with the old.
    op.add_column("people", sa.Column("pin_tag", sa.LargeBinary(16), nullable=True))
    op.create_index("ix_people_pin_tag", "people", ["pin_tag"], unique=True)
