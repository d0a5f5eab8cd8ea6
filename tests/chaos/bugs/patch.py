"""Replaces functions of the product, and fails if they do not exist."""

import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any


class MissingError(RuntimeError):
    """The target of a patch does not exist: the product has changed, and the bug must be adapted."""


def wrap(target: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace a target such as `feed.wire.cursor:Cursor.parse` with `make(original)`; class methods and properties stay such."""
    module_name, _, path = target.partition(":")
    *owners, name = path.split(".")
    try:
        owner: Any = importlib.import_module(module_name)
        for each in owners:
            owner = getattr(owner, each)
        original = inspect.getattr_static(owner, name)
    except (ImportError, AttributeError) as error:
        raise MissingError(f"{target} does not exist any more") from error
    if isinstance(original, classmethod):
        setattr(owner, name, classmethod(make(original.__func__)))
    elif isinstance(original, property) and original.fget is not None:
        setattr(owner, name, property(make(original.fget)))
    else:
        setattr(owner, name, make(original))


def rewrite_sql(pattern: str, replacement: str) -> None:
    """Replace a pattern in all SQL files; fails if none has it. Call it before the product is imported."""
    files = importlib.import_module("db.sqlfiles")
    folder = Path(inspect.getfile(files)).parent / "sql"
    found = re.compile(pattern)
    if not any(found.search(file.read_text()) for file in folder.rglob("*.sql")):
        raise MissingError(f"no SQL file has {pattern!r} any more")
    wrap("db.sqlfiles:sql", lambda original: lambda name: found.sub(replacement, original(name)))
