"""Replaces functions of the product, and fails if they are not there."""

import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any


class MissingError(RuntimeError):
    """The place to be patched is not there: the product has changed, and the bug has to follow."""


def wrap(place: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put `make(original)` at a place such as `feed.wire.cursor:Cursor.parse`; what was a class method or a property stays one."""
    module_name, _, path = place.partition(":")
    *owners, name = path.split(".")
    try:
        owner: Any = importlib.import_module(module_name)
        for each in owners:
            owner = getattr(owner, each)
        original = inspect.getattr_static(owner, name)
    except (ImportError, AttributeError) as error:
        raise MissingError(f"{place} is not there any more") from error
    if isinstance(original, classmethod):
        setattr(owner, name, classmethod(make(original.__func__)))
    elif isinstance(original, property) and original.fget is not None:
        setattr(owner, name, property(make(original.fget)))
    else:
        setattr(owner, name, make(original))


def rewrite_sql(pattern: str, replacement: str) -> None:
    """Change the text of every SQL file in which a regular expression is found. To be called before anything else is imported."""
    files = importlib.import_module("db.sqlfiles")
    folder = Path(inspect.getfile(files)).parent / "sql"
    found = re.compile(pattern)
    if not any(found.search(file.read_text()) for file in folder.rglob("*.sql")):
        raise MissingError(f"no SQL file has {pattern!r} any more")
    wrap("db.sqlfiles:sql", lambda original: lambda name: found.sub(replacement, original(name)))
