"""Migrating a database, for `migrate` and `up`."""

from cli.failures import DATABASE, FailureError


def upgrade(url: str) -> None:
    """Migrate a database to this version."""
    from alembic.util import CommandError

    from db import migrate

    try:
        migrate.upgrade(url)
    except CommandError as error:
        raise FailureError(DATABASE, str(error)) from error
