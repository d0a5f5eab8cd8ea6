"""SQL files: one object or query in each file of db/sql, read by name.

Invariant: Python holds no SQL but transaction control and what SQLAlchemy builds. The text of a file does not change while the
process runs.
"""

from functools import cache
from importlib.resources import files
from typing import LiteralString


@cache
def sql(name: str) -> LiteralString:
    """The text of db/sql/<name>.sql, such as ``queries/changes_since``. Raises FileNotFoundError for an unknown name."""
    return files("db.sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
