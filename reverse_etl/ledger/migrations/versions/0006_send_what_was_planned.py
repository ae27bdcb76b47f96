"""Send what was planned and nothing else."""

import sqlalchemy as sa
from alembic import op

from reverse_etl.ledger.types import COUNTER

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger to this revision."""
    op.create_table(
        "planned",
        sa.Column("plan_id", sa.Text, nullable=False),
        sa.Column("ledger_id", COUNTER, autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "ledger_id", name=op.f("pk_planned")),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("planned")
