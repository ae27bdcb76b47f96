"""Tell destinations of ends and opt-outs, and know which flows still run."""

import sqlalchemy as sa
from alembic import op

from reverse_etl.ledger.types import COUNTER

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_IS_OPT_OUT = sa.text("kind = 'opt_out'")
_IS_OPEN = sa.text("not is_over")


def upgrade() -> None:
    """Bring the ledger to this revision; what has ended before is not told any more."""
    op.add_column("exits", sa.Column("is_over", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("update exits set is_over = true")
    op.create_index(
        "ix_exits_open", "exits", ["enrollment_id"], sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN
    )
    op.create_index(
        "ix_enrollments_opt_outs",
        "enrollments",
        ["status", "destination"],
        sqlite_where=_IS_OPT_OUT,
        postgresql_where=_IS_OPT_OUT,
    )
    op.create_table(
        "flow_states",
        sa.Column("flow_name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("seq", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("flow_name", name=op.f("pk_flow_states")),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("flow_states")
    op.drop_index("ix_enrollments_opt_outs", table_name="enrollments")
    op.drop_index("ix_exits_open", table_name="exits")
    op.drop_column("exits", "is_over")
