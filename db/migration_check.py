"""Examines a database before it is migrated: what stands in the way, what would be added, and which locks would be taken.

Invariant: nothing is changed, and no writer waits. Schema feed is installed in a transaction that is rolled back, so that its
functions can examine the tables. That takes no lock on a table of the application which keeps out a writer.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from psycopg.types.json import Jsonb
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from db import migrate
from db.sqlfiles import sql

_DEFAULT_TABLE = "public.opportunities"


class Check(NamedTuple):
    obstacles: list[str]
    """Why the migration would be refused: all reasons, each with what to do about it."""
    steps: list[str]
    """What it would do to the database; empty if there are obstacles."""
    locks: list[str]
    """Which locks it would take on tables of the application, and for how long."""


def check(
    url: str,
    table: str | None = None,
    columns: Mapping[str, str] = MappingProxyType({}),
    *,
    users: str | None = None,
    user_columns: Mapping[str, str] = MappingProxyType({}),
    feed_only: bool = False,
) -> Check:
    """Examine a database for `db.migrate.adopt` with this table or, without a table, for `db.migrate.upgrade`."""
    with migrate.migrating(url) as (connection, config):
        owned = _ask(connection, "queries/schema_owned")
        foreign = not owned and _ask(connection, "queries/schema_exists")
        adopts = table is not None or not (feed_only or owned)
        creates = adopts and table is None and not _ask(connection, "queries/relation_exists", name=_DEFAULT_TABLE)
        obstacles = list(
            connection.exec_driver_sql(
                sql("queries/migration_obstacles"), {"foreign": foreign, "creates": creates}
            ).scalars()
        )
        steps = [] if owned else ["create schema feed, which holds everything of boardcast but what follows"]
        found = Check(obstacles, steps, [])
        try:
            if foreign:
                connection.exec_driver_sql(sql("queries/set_schema_aside"))
            migrate.install(connection, config, feed_only=True)
        except DBAPIError as error:
            # Without rights to install it, the tables cannot be examined. The reason is among those above, if it is known.
            reason = str(error.orig).splitlines()[0]
            found.obstacles.extend([] if obstacles else [reason])
        else:
            adoption = {
                "table": table or _DEFAULT_TABLE,
                "columns": Jsonb(dict(columns)),
                "users": users,
                "user_columns": Jsonb(dict(user_columns)),
            }
            if creates:
                steps.append("create table public.opportunities, and public.users if there is none")
            elif adopts:
                obstacles.extend(connection.exec_driver_sql(sql("queries/adoption_obstacles"), adoption).scalars())
            if not obstacles:
                if adopts and not creates:
                    connection.exec_driver_sql(sql("queries/note_adoption"), adoption)
                _plan(connection, found)
        connection.rollback()
    return found if not found.obstacles else found._replace(steps=[])


def _ask(connection: Connection, query: str, **parameters: str) -> bool:
    return bool(connection.exec_driver_sql(sql(query), parameters).scalar_one())


def _plan(connection: Connection, found: Check) -> None:
    for row in connection.exec_driver_sql(sql("queries/migration_plan"), {}):
        (found.steps if row.kind == "step" else found.locks).append(row.text)
