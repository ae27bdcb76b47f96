"""Find claims by an index: a push that begins or ends looked through every row that there ever was for them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NAME = "ix_enrollments_claimed"


def upgrade() -> None:
    """Bring the ledger to this revision."""
    is_claimed = sa.text("claimed_by is not null")
    op.create_index(
        _NAME, "enrollments", ["claimed_by"], sqlite_where=is_claimed, postgresql_where=is_claimed
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index(_NAME, "enrollments")
