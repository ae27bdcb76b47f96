"""Let a receipt refer to what the destination made: the order's id at the till."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger to this revision."""
    op.add_column("receipts", sa.Column("reference", sa.Text, nullable=True))


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("receipts", "reference")
