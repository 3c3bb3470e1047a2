"""What a receipt opens is found without looking through every report."""

from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    op.create_index("ix_reports_receipt_tag", "reports", ["receipt_tag"])
