"""Schema feed as it should be, and what of it is missing or was altered.

Invariant: what should be there is db/migrations/catalog.json, which `make freeze` reads from the catalogs of a new database. No
list of objects is kept by hand. Every role may read the catalogs, so a check never lacks a privilege.
"""

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from db.connection import PsycopgConnection
from db.sqlfiles import sql

_KINDS = (
    "schema",
    "table",
    "sequence",
    "column",
    "view",
    "function",
    "constraint",
    "index",
    "trigger",
    "privilege",
)
_KINDS_WITH_DATA = frozenset({"schema", "table", "column", "sequence"})
"""Kinds of objects that hold something that cannot be created again."""


class Object(NamedTuple):
    """An object of the database. `part_of`: the relation or function that it belongs to, if any."""

    kind: str
    name: str
    part_of: str | None
    definition: str


class Fault(NamedTuple):
    """An object that is `missing`, or is not as the migrations made it (`altered`)."""

    wanted: Object
    actual: str | None
    """Its definition, if it exists."""

    @property
    def state(self) -> str:
        return "missing" if self.actual is None else "altered"

    @property
    def lost(self) -> bool:
        """Whether its contents are gone."""
        return self.state == "missing" and self.wanted.kind in _KINDS_WITH_DATA

    def __str__(self) -> str:
        return f"{self.wanted.kind} {self.wanted.name} is {self.state}"


@cache
def expected() -> tuple[Object, ...]:
    """What the migrations create."""
    text = files("db.migrations").joinpath("catalog.json").read_text(encoding="ascii")
    return tuple(Object(*row) for row in json.loads(text))


async def read(conn: PsycopgConnection) -> list[Object]:
    """What is in schema feed, and the triggers elsewhere that call its functions."""
    # Rolled back, so that an enclosing transaction keeps its search_path.
    async with conn.transaction(force_rollback=True):
        await conn.execute(sql("queries/empty_search_path"))
        found = await conn.execute(sql("queries/catalog"))
        return [Object(*row) for row in await found.fetchall()]


async def faults(conn: PsycopgConnection) -> list[Fault]:
    """What is missing or altered. What belongs to something missing is not listed."""
    return compare(await read(conn))


def compare(actual: list[Object]) -> list[Fault]:
    """The same for objects that were read, the most important kinds first."""
    there = {(each.kind, each.name): each.definition for each in actual}
    lost = {each.name for each in expected() if (each.kind, each.name) not in there}
    found = []
    for each in expected():
        owner = (each.part_of or "").partition(" (")[0]  # without the column of a privilege
        if owner in lost or ("feed" in lost and each.kind != "schema"):
            continue
        definition = there.get((each.kind, each.name))
        if definition != each.definition:
            found.append(Fault(each, definition))
    return sorted(found, key=lambda fault: _KINDS.index(fault.wanted.kind))
