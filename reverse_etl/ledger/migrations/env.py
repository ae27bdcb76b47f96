"""Alembic's entry: runs the revisions on ``open_ledger``'s connection, in its transaction."""

from alembic import context

from reverse_etl.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
