"""Runs the SQL of a migration: the frozen copy beside its file, and nothing else.

A migration `versions/0002_labels.py` names in `INSTALLS` the files of db/sql that it installs. `make freeze` copies them to
`versions/0002_labels/`. The migration runs them with `install` or, if an earlier one has created the object, with `replace`.
"""

import re
from pathlib import Path

from alembic import op

_CREATE = re.compile(r"^CREATE (FUNCTION|VIEW|TRIGGER)", re.MULTILINE)


def folder(migration: str) -> Path:
    """Where the copy of a migration is; `migration` is its `__file__`."""
    return Path(migration).with_suffix("")


def install(migration: str, *names: str) -> None:
    """Run these files, such as ``functions/ring``."""
    for name in names:
        _run(_read(migration, name))


def replace(migration: str, *names: str) -> None:
    """Run these files of functions, views, and triggers, so that they replace what an earlier migration has created."""
    for name in names:
        _run(_CREATE.sub(r"CREATE OR REPLACE \1", _read(migration, name)))


def _read(migration: str, name: str) -> str:
    return (folder(migration) / f"{name}.sql").read_text(encoding="ascii")


def _run(statements: str) -> None:
    # By the driver, without parameters: a percent sign is no placeholder then, and a file may hold several statements.
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the migration has lost its connection")
    connection.execute(statements)
