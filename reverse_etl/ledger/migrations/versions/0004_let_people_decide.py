"""Let people decide: holds, pauses, dead letters that are closed, and what they were told of."""

import secrets

import sqlalchemy as sa
from alembic import op

from reverse_etl.ledger.types import COUNTER, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger to this revision; what it holds already was taken in before there were guards."""
    op.add_column(
        "enrollments", sa.Column("is_cleared", sa.Boolean, server_default=sa.false(), nullable=False)
    )
    op.add_column("enrollments", sa.Column("hold_id", sa.Text, nullable=True))
    op.add_column("enrollments", sa.Column("discarded_at", UtcDateTime, nullable=True))
    op.execute(sa.text("update enrollments set is_cleared = true"))
    op.create_index(
        op.f("ix_enrollments_destination_flow_name_enrolled_at"),
        "enrollments",
        ["destination", "flow_name", "enrolled_at"],
        unique=False,
    )
    op.create_index(op.f("ix_enrollments_hold_id"), "enrollments", ["hold_id"], unique=False)
    op.create_index(
        "ix_enrollments_not_cleared",
        "enrollments",
        ["ledger_id"],
        unique=False,
        sqlite_where=sa.text("not is_cleared"),
        postgresql_where=sa.text("not is_cleared"),
    )
    op.create_table(
        "holds",
        sa.Column("hold_id", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("flow_name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("clause", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("measured", sa.JSON, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("ended", sa.Text, nullable=True),
        sa.Column("ended_at", UtcDateTime, nullable=True),
        sa.Column("ended_by", sa.Text, nullable=True),
        sa.CheckConstraint("ended in ('released', 'canceled')", name=op.f("ck_holds_ended")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_holds")),
    )
    op.create_index(
        op.f("ix_holds_destination_flow_name"), "holds", ["destination", "flow_name"], unique=False
    )
    op.create_table(
        "pauses",
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("is_paused", sa.Boolean, nullable=False),
        sa.Column("since", UtcDateTime, nullable=False),
        sa.Column("by", sa.Text, nullable=True),
        sa.Column("seq", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pk_pauses")),
    )
    op.create_table(
        "alerts",
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("told_at", UtcDateTime, nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_alerts")),
    )
    # Which ledger this is: a plan that was made on another one is refused.
    named = sa.text("insert into cursors (name, seq) values (:name, 0)")
    op.get_bind().execute(named, {"name": f"ledger:{secrets.token_hex(8)}"})


def downgrade() -> None:
    """Take this revision back."""
    op.execute(sa.text("delete from cursors where name like 'ledger:%'"))
    op.drop_table("alerts")
    op.drop_table("pauses")
    op.drop_index(op.f("ix_holds_destination_flow_name"), table_name="holds")
    op.drop_table("holds")
    op.drop_index("ix_enrollments_not_cleared", table_name="enrollments")
    op.drop_index(op.f("ix_enrollments_hold_id"), table_name="enrollments")
    op.drop_index(op.f("ix_enrollments_destination_flow_name_enrolled_at"), table_name="enrollments")
    op.drop_column("enrollments", "discarded_at")
    op.drop_column("enrollments", "hold_id")
    op.drop_column("enrollments", "is_cleared")
