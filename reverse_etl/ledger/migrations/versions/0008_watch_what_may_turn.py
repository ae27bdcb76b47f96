"""Watch what may turn between a decision and its call: sales, shelves, and what tills are told."""

import sqlalchemy as sa
from alembic import op

from reverse_etl.ledger.types import COUNTER, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_IS_PASSING = sa.text("fact in ('bought', 'sold_out', 'opted_out')")


def upgrade() -> None:
    """Bring the ledger to this revision: facts of carts become facts of whatever is watched."""
    op.add_column("enrollments", sa.Column("watch", sa.JSON, nullable=True))
    op.create_table(
        "facts",
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("seq", COUNTER, nullable=False),
        sa.Column("at", UtcDateTime, nullable=True),
        sa.PrimaryKeyConstraint("subject", "fact", name=op.f("pk_facts")),
    )
    op.create_index(
        "ix_facts_passing", "facts", ["seq"], sqlite_where=_IS_PASSING, postgresql_where=_IS_PASSING
    )
    op.execute("insert into facts (subject, fact, seq) select cart_id, fact, seq from cart_facts")
    op.drop_table("cart_facts")


def downgrade() -> None:
    """Take this revision back; what passes is in the next build's exits."""
    op.create_table(
        "cart_facts",
        sa.Column("cart_id", sa.Text, nullable=False),
        sa.Column("fact", sa.Text, nullable=False),
        sa.Column("seq", COUNTER, nullable=False),
        sa.PrimaryKeyConstraint("cart_id", "fact", name=op.f("pk_cart_facts")),
    )
    op.execute(
        "insert into cart_facts (cart_id, fact, seq) select subject, fact, seq from facts"
        " where fact not in ('bought', 'sold_out', 'opted_out')"
    )
    op.drop_index("ix_facts_passing", table_name="facts")
    op.drop_table("facts")
    op.drop_column("enrollments", "watch")
