"""Alembic's environment: one connection, handed in by db.migrate, and one transaction for the whole upgrade."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
