"""Puts back what of schema feed is missing or was altered, from the files in db/sql that the migrations install.

Invariant: one transaction, and nothing that is as it should be is touched, except for privileges and owners, which are set again.
What a lost table, column or sequence contained is gone: it comes back empty, and every client reloads.
"""

import re
from collections.abc import Iterator

from psycopg import errors
from psycopg.types.json import Jsonb

from db import catalog, migrate
from db.catalog import Fault
from db.connection import PsycopgConnection
from db.sqlfiles import sql

_CREATE = re.compile(r"^CREATE(?= (FUNCTION|VIEW|TRIGGER))", re.MULTILINE)
_STATEMENT_END = re.compile(r";\n")
_ROUNDS = 3
"""What belongs to something missing is found only once that is there again."""


class RepairError(Exception):
    """Something could not be put back, so nothing was changed."""


async def repair(conn: PsycopgConnection) -> list[Fault]:
    """Repair a migrated schema, and return what was wrong. Requires autocommit.

    Raises RepairError, and psycopg.Error for what cannot be put back, such as a lost column that may not be null.
    """
    first = await catalog.faults(conn)
    if not first:
        return []
    faults = first
    async with conn.transaction():
        # As in a migration: the tables of the CRM are in schema public.
        await conn.execute(
            sql("queries/migration_settings"), {"settings": Jsonb({"search_path": "pg_catalog, pg_temp"})}
        )
        await conn.execute(sql("queries/migration_lock"), {"key": migrate.LOCK})
        for _ in range(_ROUNDS):
            await _repair(conn, faults)
            if not (faults := await catalog.faults(conn)):
                break
        else:
            raise RepairError(f"could not put back: {'; '.join(map(str, faults))}")
        if any(fault.lost for fault in first):
            await conn.execute(sql("queries/repair_reset"))
    return first


async def _repair(conn: PsycopgConnection, faults: list[Fault]) -> None:
    for statement in _statements(faults):
        await conn.execute(statement.encode())
    for file in migrate.installed_files():
        await _replace(conn, file, faults)
    for file in ("grants/privileges", "grants/ownership", "queries/repair_rows"):
        await conn.execute(sql(file))


def _statements(faults: list[Fault]) -> Iterator[str]:
    """Statements for tables, sequences, and what is part of them."""
    yield sql("grants/roles")
    names = [
        fault.wanted.name for fault in faults if fault.actual is None and fault.wanted.kind in {"table", "sequence"}
    ]
    for file in migrate.installed_files():
        for statement in _STATEMENT_END.split(sql(file)) if file.startswith("tables/") else ():
            if any(_creates(statement, name) for name in names):
                yield statement
    for kind in ("table", "sequence", "column", "constraint", "index"):
        for fault in faults:
            if fault.wanted.kind == kind:
                yield from _change(fault)


def _creates(statement: str, name: str) -> bool:
    """Whether a statement of a file in db/sql/tables creates a table or sequence, indexes it, or describes it."""
    return re.search(rf"\b(TABLE|SEQUENCE|ON|COLUMN) {re.escape(name)}(?!\w)", statement) is not None


def _change(fault: Fault) -> Iterator[str]:
    """Statements for a table, sequence or view that exists, or for a part of a table."""
    wanted = fault.wanted
    owner, name = wanted.part_of, wanted.name.partition(" on ")[0]
    if wanted.kind == "table" and fault.actual is not None:
        yield f"ALTER TABLE {wanted.name} SET {'UNLOGGED' if wanted.definition.startswith('unlogged') else 'LOGGED'}"
    elif wanted.kind == "sequence" and fault.actual is not None:
        kind, increment, minimum, cycle = wanted.definition.split()
        cycles = "CYCLE" if cycle == "t" else "NO CYCLE"
        yield f"ALTER SEQUENCE {wanted.name} AS {kind} INCREMENT {increment} MINVALUE {minimum} {cycles}"
    elif wanted.kind == "column":
        yield from _change_column(fault, f"ALTER TABLE {owner}", wanted.name.removeprefix(f"{owner}."))
    elif wanted.kind == "constraint":
        if fault.actual is not None:
            yield f"ALTER TABLE {owner} DROP CONSTRAINT {name}"
        yield f"ALTER TABLE {owner} ADD CONSTRAINT {name} {wanted.definition}"
    elif wanted.kind == "index":
        if fault.actual is not None:
            yield f"DROP INDEX {str(owner).partition('.')[0]}.{name}"
        # pg_get_indexdef writes ONLY for the index of a partitioned table, which would leave out its partitions.
        yield wanted.definition.replace(" ON ONLY ", " ON ")


def _change_column(fault: Fault, alter: str, name: str) -> Iterator[str]:
    if fault.actual is None:
        yield f"{alter} ADD COLUMN {name} {fault.wanted.definition}"
        return
    kind, default, required = _column_parts(fault.wanted.definition)
    actual_kind, actual_default, actual_required = _column_parts(fault.actual)
    if kind != actual_kind:
        yield f"{alter} ALTER COLUMN {name} DROP DEFAULT, ALTER COLUMN {name} TYPE {kind} USING {name}::{kind}"
        actual_default = ""
    if default != actual_default:
        yield f"{alter} ALTER COLUMN {name} {f'SET DEFAULT {default}' if default else 'DROP DEFAULT'}"
    if required != actual_required:
        yield f"{alter} ALTER COLUMN {name} {'SET' if required else 'DROP'} NOT NULL"


def _column_parts(definition: str) -> tuple[str, str, bool]:
    """The type, the default and whether it may not be null, as db/sql/queries/catalog.sql writes them."""
    kind, _, default = definition.removesuffix(" NOT NULL").partition(" DEFAULT ")
    return kind, default, definition.endswith(" NOT NULL")


async def _replace(conn: PsycopgConnection, file: str, faults: list[Fault]) -> None:
    """Create or replace those functions, views and triggers of a file that are faulty."""
    folder, _, name = file.partition("/")
    for fault in faults:
        wanted = fault.wanted
        if folder == f"{wanted.kind}s" and wanted.kind in {"function", "view"} and _bare_name(wanted.name) == name:
            await _create(conn, _CREATE.sub(r"\g<0> OR REPLACE", sql(file)), f"{wanted.kind.upper()} {wanted.name}")
        elif folder == "triggers" and wanted.kind == "trigger":
            trigger = wanted.name.partition(" on ")[0]
            statements = [text for text in _STATEMENT_END.split(sql(file)) if f" {trigger} " in text]
            for statement in statements:
                await conn.execute(_CREATE.sub(r"\g<0> OR REPLACE", statement).encode())
            if statements:
                await conn.execute(f"ALTER TABLE {wanted.part_of} ENABLE TRIGGER {trigger}".encode())


def _bare_name(name: str) -> str:
    """The name of a function or view without its schema and arguments."""
    return name.partition("(")[0].partition(".")[2]


async def _create(conn: PsycopgConnection, text: str, replaced: str) -> None:
    try:
        async with conn.transaction():
            await conn.execute(text.encode())
    except (errors.InvalidTableDefinition, errors.InvalidFunctionDefinition):
        # It has other columns, or returns another type, so it cannot be replaced. What depends on it is not dropped.
        await conn.execute(f"DROP {replaced}".encode())
        await conn.execute(text.encode())
