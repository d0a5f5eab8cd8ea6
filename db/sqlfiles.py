"""SQL as files: one object or query each under db/sql, read by name.

Invariant: no SQL of the feed is written in Python; a file's text is constant for the life of the process.
"""

from functools import cache
from importlib.resources import files
from typing import LiteralString


@cache
def sql(name: str) -> LiteralString:
    """The text of db/sql/<name>.sql, such as ``queries/unseen``. Raises FileNotFoundError for an unknown name."""
    return files("db.sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
