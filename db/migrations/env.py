"""Alembic's environment: one connection, handed in by db.migrate, and one transaction for the whole upgrade."""

from alembic import context

from db.migrations import SCHEMA

context.configure(connection=context.config.attributes["connection"], target_metadata=None, version_table_schema=SCHEMA)
with context.begin_transaction():
    context.run_migrations()
