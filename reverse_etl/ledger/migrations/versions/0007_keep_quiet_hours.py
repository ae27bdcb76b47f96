"""Keep quiet hours at the call: the places whose hours bind a message."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger to this revision; of what it holds already nobody has told the places."""
    op.add_column("enrollments", sa.Column("places", sa.JSON, nullable=True))


def downgrade() -> None:
    """Take this revision back."""
    op.drop_column("enrollments", "places")
