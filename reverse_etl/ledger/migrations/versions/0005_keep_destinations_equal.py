"""Keep what is to be equal at a destination: what is wanted there, and what it has confirmed."""

import sqlalchemy as sa
from alembic import op

from reverse_etl.ledger.types import COUNTER, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger to this revision."""
    op.create_table(
        "sync_items",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("wanted", sa.Text, nullable=True),
        sa.Column("confirmed", sa.Text, nullable=True),
        sa.Column("sending", sa.Text, nullable=True),
        sa.Column("job_id", sa.Text, nullable=True),
        sa.Column("place", sa.Integer, nullable=True),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("vendor_id", sa.Text, nullable=True),
        sa.Column("attempts", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("failed_at", UtcDateTime, nullable=True),
        sa.Column("discarded", sa.Text, nullable=True),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.CheckConstraint("kind in ('traits', 'lists')", name=op.f("ck_sync_items_kind")),
        sa.PrimaryKeyConstraint("destination", "kind", "target", "item", name=op.f("pk_sync_items")),
    )
    op.create_index(op.f("ix_sync_items_customer_id"), "sync_items", ["customer_id"], unique=False)
    for name, condition in (("open", "is_open"), ("sending", "sending is not null")):
        op.create_index(
            f"ix_sync_items_{name}",
            "sync_items",
            ["destination", "kind", "target"],
            unique=False,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
    op.create_table(
        "sync_marks",
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("build_no", COUNTER, server_default=sa.text("0"), nullable=False),
        sa.Column("claimed_by", sa.Text, nullable=True),
        sa.Column("claimed_until", UtcDateTime, nullable=True),
        sa.Column("held", sa.Text, nullable=True),
        sa.Column("missing", sa.Integer, nullable=True),
        sa.Column("unexpected", sa.Integer, nullable=True),
        sa.Column("read_at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("destination", "kind", "target", name=op.f("pk_sync_marks")),
    )


def downgrade() -> None:
    """Take this revision back."""
    op.drop_table("sync_marks")
    op.drop_table("sync_items")
