"""What was changed with a receipt has a name, so that a message that comes twice changes it once."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("id", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("nights", sa.SmallInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
