"""Who answers callers, and when."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("name", sa.String(200), unique=True, nullable=False),
        sa.Column("phone", sa.LargeBinary(56), nullable=False),
        sa.Column("languages", sa.String(100), nullable=False),
        sa.Column("tier", sa.String(16), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("is_failing", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "shifts",
        sa.Column("id", sa.LargeBinary(8), primary_key=True, nullable=False),
        sa.Column("person", sa.LargeBinary(16), sa.ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
        sa.Column("first", sa.String(10), nullable=False),
        sa.Column("start", sa.String(5), nullable=False),
        sa.Column("end", sa.String(5), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(200), nullable=False),
        sa.Column("is_break", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_shifts_person", "shifts", ["person"])
    op.create_table(
        "switches",
        sa.Column(
            "person",
            sa.LargeBinary(16),
            sa.ForeignKey("people.id", ondelete="CASCADE"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("until_at", sa.String(17), nullable=True),
    )
