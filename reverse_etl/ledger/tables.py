"""The ledger's tables. A change here needs a migration beside it; a test compares the two."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    false,
    text,
)

from reverse_etl.kinds import OPT_OUT
from reverse_etl.ledger.types import COUNTER, UtcDateTime
from reverse_etl.states import Status

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_STATUSES = ", ".join(f"'{status}'" for status in Status)

IS_OPT_OUT = text(f"kind = '{OPT_OUT}'")
IS_OPEN = text("not is_over")
IS_PASSING = text("fact in ('bought', 'sold_out', 'opted_out')")

# One row an enrollment, an order for the till or a notice (kinds.py). `decided_upto` is the last landed seq that its
# decision had read: what landed later is news to it. `not_before` is the decision's, or the end of quiet hours that
# began since; `places` are those whose hours bind it, `watch` the keys of what may turn before its call. `frozen` is
# {"channels": [...], "body": {...}}, what the first attempt sent. A claim names the process that works on the row; see
# claims.py. `is_cleared`: the guards have looked at it, before that nobody claims it. `hold_id` is the hold that it
# waits, or waited, in. `discarded_at`: nobody is asked about this dead letter again.
enrollments = Table(
    "enrollments",
    metadata,
    Column("ledger_id", COUNTER, primary_key=True, autoincrement=True),
    Column("enrollment_id", Text, nullable=False, unique=True),
    Column("destination", Text, nullable=False),
    Column("flow_name", Text, nullable=False),
    Column("flow_display_name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("channels", JSON, nullable=False),
    Column("recipient", JSON, nullable=False),
    Column("context", JSON, nullable=False),
    Column("cart_id", Text),
    Column("order_id", Text),
    Column("triggered_at", UtcDateTime, nullable=False),
    Column("enrolled_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("places", JSON(none_as_null=True)),
    Column("watch", JSON(none_as_null=True)),
    Column("decision_seq", COUNTER, nullable=False),
    Column("decided_upto", COUNTER, nullable=False),
    Column("taken_in_at", UtcDateTime, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("claimed_by", Text),
    Column("claimed_until", UtcDateTime),
    Column("frozen", JSON(none_as_null=True)),
    Column("first_attempt_at", UtcDateTime),
    Column("accepted_at", UtcDateTime),
    Column("error", Text),
    Column("is_cleared", Boolean, nullable=False, server_default=false()),
    Column("hold_id", Text),
    Column("discarded_at", UtcDateTime),
    CheckConstraint(f"status in ({_STATUSES})", name="status"),
    Index(None, "status", "destination", "ledger_id"),
    Index(
        "ix_enrollments_opt_outs",
        "status",
        "destination",
        sqlite_where=IS_OPT_OUT,
        postgresql_where=IS_OPT_OUT,
    ),
    Index(None, "destination", "customer_id", "ledger_id"),
    Index(None, "destination", "flow_name", "enrolled_at"),
    Index(None, "hold_id"),
    # few rows, however many there are: those that the guards have not looked at
    Index(
        "ix_enrollments_not_cleared",
        "ledger_id",
        sqlite_where=text("not is_cleared"),
        postgresql_where=text("not is_cleared"),
    ),
    # few rows, however many there are: those that a push works on
    Index(
        "ix_enrollments_claimed",
        "claimed_by",
        sqlite_where=text("claimed_by is not null"),
        postgresql_where=text("claimed_by is not null"),
    ),
    Index(None, "cart_id"),
    Index(None, "order_id"),
    sqlite_autoincrement=True,
)

# One row a landed batch of receipts, written before the batch is: its name is fixed by its range.
receipt_batches = Table(
    "receipt_batches",
    metadata,
    Column("first_receipt_no", COUNTER, primary_key=True, autoincrement=False),
    Column("last_receipt_no", COUNTER, nullable=False),
    Column("is_landed", Boolean, nullable=False),
)

# One row an outcome, in the transaction that made it. Numbers are never used twice. `reference` is the destination's
# own id of what it made: the order's, at the till.
receipts = Table(
    "receipts",
    metadata,
    Column("receipt_no", COUNTER, primary_key=True, autoincrement=True),
    Column("enrollment_id", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("accepted_at", UtcDateTime),
    Column("error", Text),
    Column("reference", Text),
    Column("at", UtcDateTime, nullable=False),
    Column("batch", COUNTER, ForeignKey("receipt_batches.first_receipt_no")),
    Index(None, "batch"),
    Index(None, "enrollment_id"),
    sqlite_autoincrement=True,
)

# One row a reader of the landing log: everything up to `seq` is in the ledger.
cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seq", COUNTER, nullable=False),
)

# One row a (channel, address) that ever spoke up: the latest word, by when it was said, counts.
suppressions = Table(
    "suppressions",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("address_hash", Text, primary_key=True),
    Column("is_suppressed", Boolean, nullable=False),
    Column("said_at", UtcDateTime, nullable=False),
    Column("since_seq", COUNTER, nullable=False),
    Column("reason", Text, nullable=False),
)

# One row an enrollment that the warehouse ended. `is_over`: its destination was told, or never had to be.
exits = Table(
    "exits",
    metadata,
    Column("enrollment_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("exited_at", UtcDateTime, nullable=False),
    Column("seq", COUNTER, nullable=False),
    Column("is_over", Boolean, nullable=False, server_default=false()),
    Index("ix_exits_open", "enrollment_id", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
)

# One row a subject and what is known of it, with the seq that brought the news. Of a cart, by any of its ids, what
# first became of it stays: `purchased`, `fulfilled`, `canceled`, `at_pos`. What a decision watches is here until
# a build has read it: the latest sale to a buyer (`bought`, `at` its instant), an item of which none is left
# (`sold_out`), a till that says no to an address (`opted_out`; its subject ends with the address's hash).
facts = Table(
    "facts",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("fact", Text, primary_key=True),
    Column("seq", COUNTER, nullable=False),
    Column("at", UtcDateTime),
    Index("ix_facts_passing", "seq", sqlite_where=IS_PASSING, postgresql_where=IS_PASSING),
)

# One row a flow: the status that its settings gave it in the newest moment, with the seq that brought it.
flow_states = Table(
    "flow_states",
    metadata,
    Column("flow_name", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("seq", COUNTER, nullable=False),
)

# One row a moment of the builder: how far it read.
moments = Table(
    "moments",
    metadata,
    Column("build_no", COUNTER, primary_key=True, autoincrement=False),
    Column("upto_seq", COUNTER, nullable=False),
)

# One row a hold: what a guard found too much of to send unseen, or to take out of a list. `measured` is what it was
# measured by. What waits in it is in `enrollments`; of a mirror it is in the mirror's own tables. `ended`: `released`
# or `canceled` as a whole.
holds = Table(
    "holds",
    metadata,
    Column("hold_id", Text, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("flow_name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("clause", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("measured", JSON, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("ended", Text),
    Column("ended_at", UtcDateTime),
    Column("ended_by", Text),
    CheckConstraint("ended in ('released', 'canceled')", name="ended"),
    Index(None, "destination", "flow_name"),
)

# One row a thing that was ever paused: everything (`all`, ``), a destination, a flow. The operation that landed last
# counts.
pauses = Table(
    "pauses",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("is_paused", Boolean, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("by", Text),
    Column("seq", COUNTER, nullable=False),
)

# One row a row that a plan which is being applied may send, and what it was to look like.
planned = Table(
    "planned",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("ledger_id", COUNTER, primary_key=True, autoincrement=False),
    Column("fingerprint", Text, nullable=False),
)

# One row a thing that people were told of, so that they are told once.
alerts = Table(
    "alerts",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("told_at", UtcDateTime, nullable=False),
)

# One row a thing that is kept equal at a destination. `kind` is `traits`, of which an item is a person, or `lists`, of
# which an item is an e-mail address on the list that `target` names. `wanted` and `confirmed` are fingerprints: of what
# is to be there, and of what the destination has confirmed; null is nothing. `sending` is the fingerprint of a call
# that was begun and not answered, `job_id` and `place` where the answer is to be asked for. `fields` are those that may
# hold a value there. `vendor_id` is the destination's own id. A row with an `error` is tried again by the next sync,
# unless somebody has `discarded` what was wanted then.
sync_items = Table(
    "sync_items",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("wanted", Text),
    Column("confirmed", Text),
    Column("sending", Text),
    Column("job_id", Text),
    Column("place", Integer),
    Column("fields", JSON, nullable=False),
    Column("vendor_id", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("error", Text),
    Column("failed_at", UtcDateTime),
    Column("discarded", Text),
    Column("is_open", Boolean, nullable=False),
    CheckConstraint("kind in ('traits', 'lists')", name="kind"),
    Index(None, "customer_id"),
    # few rows, however many there are: what is not as it is wanted, and what is in flight
    Index(
        "ix_sync_items_open",
        "destination",
        "kind",
        "target",
        sqlite_where=text("is_open"),
        postgresql_where=text("is_open"),
    ),
    Index(
        "ix_sync_items_sending",
        "destination",
        "kind",
        "target",
        sqlite_where=text("sending is not null"),
        postgresql_where=text("sending is not null"),
    ),
)

# One row a mirror: what was wanted up to `build_no` is in `sync_items`. The drift is what the last read-back found.
sync_marks = Table(
    "sync_marks",
    metadata,
    Column("destination", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("build_no", COUNTER, nullable=False, server_default=text("0")),
    Column("claimed_by", Text),
    Column("claimed_until", UtcDateTime),
    Column("held", Text),
    Column("missing", Integer),
    Column("unexpected", Integer),
    Column("read_at", UtcDateTime),
)
