"""Lay the ledger: enrollments, receipts, and what the push knows from the landing log."""

import sqlalchemy as sa
from alembic import op

from reverse_etl.ledger.types import COUNTER, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the ledger to this revision."""
    op.create_table(
        "cart_facts",
        sa.Column("cart_id", sa.Text, nullable=False),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("seq", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("cart_id", "fact", name=op.f("pk_cart_facts")),
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("seq", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
    )
    op.create_table(
        "enrollments",
        sa.Column("ledger_id", COUNTER, autoincrement=True, nullable=False),
        sa.Column("enrollment_id", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("flow_name", sa.Text, nullable=False),
        sa.Column("flow_display_name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("channels", sa.JSON, nullable=False),
        sa.Column("recipient", sa.JSON, nullable=False),
        sa.Column("context", sa.JSON, nullable=False),
        sa.Column("cart_id", sa.Text, nullable=True),
        sa.Column("order_id", sa.Text, nullable=True),
        sa.Column("triggered_at", UtcDateTime, nullable=False),
        sa.Column("enrolled_at", UtcDateTime, nullable=False),
        sa.Column("not_before", UtcDateTime, nullable=True),
        sa.Column("expires_at", UtcDateTime, nullable=True),
        sa.Column("decision_seq", COUNTER, nullable=False),
        sa.Column("decided_upto", COUNTER, nullable=False),
        sa.Column("taken_in_at", UtcDateTime, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("claimed_by", sa.Text, nullable=True),
        sa.Column("claimed_until", UtcDateTime, nullable=True),
        sa.Column("frozen", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("first_attempt_at", UtcDateTime, nullable=True),
        sa.Column("accepted_at", UtcDateTime, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.CheckConstraint(
            "status in ('pending', 'attempting', 'accepted', 'rejected', 'ambiguous', 'held', "
            "'expired', 'exited', 'superseded')",
            name=op.f("ck_enrollments_status"),
        ),
        sa.PrimaryKeyConstraint("ledger_id", name=op.f("pk_enrollments")),
        sa.UniqueConstraint("enrollment_id", name=op.f("uq_enrollments_enrollment_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_enrollments_cart_id"), "enrollments", ["cart_id"], unique=False)
    op.create_index(
        op.f("ix_enrollments_destination_customer_id_ledger_id"),
        "enrollments",
        ["destination", "customer_id", "ledger_id"],
        unique=False,
    )
    op.create_index(op.f("ix_enrollments_order_id"), "enrollments", ["order_id"], unique=False)
    op.create_index(
        op.f("ix_enrollments_status_destination_ledger_id"),
        "enrollments",
        ["status", "destination", "ledger_id"],
        unique=False,
    )
    op.create_table(
        "exits",
        sa.Column("enrollment_id", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("exited_at", UtcDateTime, nullable=False),
        sa.Column("seq", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("enrollment_id", name=op.f("pk_exits")),
    )
    op.create_table(
        "moments",
        sa.Column("build_no", COUNTER, autoincrement=False, nullable=False),
        sa.Column("upto_seq", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("build_no", name=op.f("pk_moments")),
    )
    op.create_table(
        "receipt_batches",
        sa.Column("first_receipt_no", COUNTER, autoincrement=False, nullable=False),
        sa.Column("last_receipt_no", COUNTER, nullable=False),
        sa.Column("is_landed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("first_receipt_no", name=op.f("pk_receipt_batches")),
    )
    op.create_table(
        "suppressions",
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("address_hash", sa.Text, nullable=False),
        sa.Column("is_suppressed", sa.Boolean, nullable=False),
        sa.Column("said_at", UtcDateTime, nullable=False),
        sa.Column("since_seq", COUNTER, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("channel", "address_hash", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "receipts",
        sa.Column("receipt_no", COUNTER, autoincrement=True, nullable=False),
        sa.Column("enrollment_id", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("accepted_at", UtcDateTime, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("batch", COUNTER, nullable=True),
        sa.ForeignKeyConstraint(
            ["batch"], ["receipt_batches.first_receipt_no"], name=op.f("fk_receipts_batch")
        ),
        sa.PrimaryKeyConstraint("receipt_no", name=op.f("pk_receipts")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_receipts_batch"), "receipts", ["batch"], unique=False)
    op.create_index(op.f("ix_receipts_enrollment_id"), "receipts", ["enrollment_id"], unique=False)


def downgrade() -> None:
    """Take this revision back."""
    op.drop_index(op.f("ix_receipts_enrollment_id"), table_name="receipts")
    op.drop_index(op.f("ix_receipts_batch"), table_name="receipts")
    op.drop_table("receipts")
    op.drop_table("suppressions")
    op.drop_table("receipt_batches")
    op.drop_table("moments")
    op.drop_table("exits")
    op.drop_index(op.f("ix_enrollments_status_destination_ledger_id"), table_name="enrollments")
    op.drop_index(op.f("ix_enrollments_order_id"), table_name="enrollments")
    op.drop_index(op.f("ix_enrollments_destination_customer_id_ledger_id"), table_name="enrollments")
    op.drop_index(op.f("ix_enrollments_cart_id"), table_name="enrollments")
    op.drop_table("enrollments")
    op.drop_table("cursors")
    op.drop_table("cart_facts")
