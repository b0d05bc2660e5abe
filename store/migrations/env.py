"""Alembic's entry: runs inside the transaction that `store/state/opening.py` hands over."""

from alembic import context

from store.state.tables import metadata

# Batch mode: SQLite alters a table by copying it.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
