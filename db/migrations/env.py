"""Alembic's environment: one connection, handed in by db.migrate, one transaction for the whole upgrade."""

from alembic import context

from db.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
