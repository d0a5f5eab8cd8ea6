"""A part of schema feed that was dropped or altered is found by name, and one command restores it."""

from typing import LiteralString

import pytest
from psycopg import errors

from db import catalog, doctor, schema_repair
from tests.db.support import Connection, log_rows, newest_seq, rows, value
from tests.db.test_health import health
from tests.db.verifying import Plain

DROPS = {
    "table": "DROP TABLE {name} CASCADE",
    "view": "DROP VIEW {name} CASCADE",
    "sequence": "DROP SEQUENCE {name} CASCADE",
    "function": "DROP FUNCTION {name} CASCADE",
    "column": "ALTER TABLE {owner} DROP COLUMN {part} CASCADE",
    "constraint": "ALTER TABLE {owner} DROP CONSTRAINT {part} CASCADE",
    "index": "DROP INDEX {schema}.{part}",
    "trigger": "DROP TRIGGER {part} ON {owner}",
    "schema": "DROP SCHEMA {name} CASCADE",
}


def drop(wanted: catalog.Object) -> str:
    owner = wanted.part_of or ""
    part = wanted.name.removeprefix(f"{owner}.").partition(" on ")[0]
    names = {"name": wanted.name, "owner": owner, "part": part, "schema": owner.partition(".")[0]}
    return DROPS[wanted.kind].format(**names)


async def test_a_migrated_schema_is_complete(conn: Plain) -> None:
    assert await catalog.faults(conn) == []
    assert (await doctor.schema(conn)).status == "ok"
    assert await schema_repair.repair(conn) == []


async def test_each_object_that_is_dropped_is_found_by_its_name(conn: Plain) -> None:
    """A dozen of a kind in each transaction, which is rolled back. What a drop has taken along waits for the next one."""
    wanted = [
        each
        for each in catalog.expected()
        if each.kind in DROPS and each.name != "feed.log.partition_number"  # PostgreSQL keeps the partition key
    ]
    assert {each.kind for each in wanted} == set(DROPS)
    while wanted:
        alike = [each for each in wanted if each.kind == wanted[0].kind]
        async with conn.transaction(force_rollback=True):
            dropped = [each for each in alike[:12] if await is_dropped(conn, each)]
            found = await catalog.faults(conn)
        for each in dropped:
            assert catalog.Fault(each, None) in found, each
            wanted.remove(each)


async def is_dropped(conn: Plain, wanted: catalog.Object) -> bool:
    """Drop it; False if an earlier drop has taken it along."""
    try:
        async with conn.transaction():
            await conn.execute(drop(wanted).encode())
    except (
        errors.UndefinedObject,
        errors.UndefinedTable,
        errors.UndefinedFunction,
        errors.UndefinedColumn,
        errors.InvalidSchemaName,
    ):
        return False
    return True


ALTERED: dict[str, LiteralString] = {
    "function feed.capture() is altered": "ALTER FUNCTION feed.capture() SECURITY INVOKER",
    "function feed.log_reload(relation_name text, why text) is altered": "REPLACE log_reload",
    "function feed.row_image(row_data record) is altered": "ALTER FUNCTION feed.row_image(record) SET search_path = public",
    "function feed.capture() is missing": "ALTER FUNCTION feed.capture() RENAME TO captured",
    "view feed.gaps is altered": "CREATE OR REPLACE VIEW feed.gaps AS SELECT * FROM feed.gaps_old WHERE false",
    "view feed.lag is missing": "ALTER VIEW feed.lag SET SCHEMA public",
    "column feed.log.at is altered": "ALTER TABLE feed.log ALTER at DROP DEFAULT",
    "column feed.log.notified is altered": "ALTER TABLE feed.log ALTER notified SET DEFAULT false",
    "column feed.log.relation is altered": "ALTER TABLE feed.log ALTER relation DROP NOT NULL",
    "column feed.gap_reports.instance is missing": "ALTER TABLE feed.gap_reports RENAME instance TO service",
    "column feed.tickets.name is altered": "ALTER TABLE feed.tickets ALTER name TYPE varchar(3)",
    "constraint flags_flag on feed.flags is altered": """ALTER TABLE feed.flags DROP CONSTRAINT flags_flag;
        ALTER TABLE feed.flags ADD CONSTRAINT flags_flag CHECK (flag <> '')""",
    "index log_key on feed.log is altered": "DROP INDEX feed.log_key; CREATE INDEX log_key ON feed.log (relation, seq)",
    "table feed.tickets is altered": "ALTER TABLE feed.tickets SET LOGGED",
    "sequence feed.log_seq is altered": "ALTER SEQUENCE feed.log_seq INCREMENT 2",
    "trigger feed_presence on feed.user_presence is altered": "ALTER TABLE feed.user_presence DISABLE TRIGGER feed_presence",
    "privilege SELECT on feed.log of feed_listener is missing": "REVOKE SELECT ON feed.log FROM feed_listener",
    "privilege EXECUTE on feed.identify() of feed_app is missing": "REVOKE EXECUTE ON FUNCTION feed.identify() FROM feed_app",
    "privilege UPDATE on feed.pacer (until) of feed_app is missing": "REVOKE UPDATE (until) ON feed.pacer FROM feed_app",
    "schema feed is altered": "ALTER SCHEMA feed OWNER TO CURRENT_USER",
}


@pytest.mark.any_version
@pytest.mark.parametrize("found", ALTERED)
async def test_altered_objects_are_found_and_restored(db: Connection, conn: Plain, found: str) -> None:
    await alter(db, ALTERED[found])
    finding = await doctor.schema(conn)
    assert finding.status == ("warning" if found.startswith("privilege") else "bad")
    assert found in finding.found
    assert (finding.fix or "").startswith("boardcast migrate")
    await schema_repair.repair(conn)
    assert await catalog.faults(conn) == []
    await works(db)


async def alter(db: Connection, statements: LiteralString) -> None:
    if statements == "REPLACE log_reload":
        body = await value(db, "SELECT pg_get_functiondef('feed.log_reload(text, text)'::regprocedure)")
        await db.execute(body.replace("PERFORM pg_notify('boardcast', '');", "").encode())
    elif "feed.gaps_old" in statements:
        query = await value(db, "SELECT pg_get_viewdef('feed.gaps')")
        await db.execute(
            f"CREATE OR REPLACE VIEW feed.gaps AS SELECT * FROM ({query.rstrip(';')}) AS g WHERE false".encode()  # noqa: S608 - the view's own definition
        )
    else:
        await db.execute(statements)


async def works(db: Connection) -> None:
    """Writes are logged, and the log is in good health."""
    before = await newest_seq(db)
    await db.execute("UPDATE opportunities SET title = title || '!' WHERE id = 'o1'")
    assert [row["op"] for row in await log_rows(db, before)] == ["update"]
    for topic in ("triggers", "tables", "partitions", "indexes", "ownership", "history"):
        assert (await health(db, topic))["status"] == "ok", await health(db, topic)
    assert await value(db, "SELECT count(*) FROM feed.trigger_log WHERE changes LIKE '%!%'") >= 1


LOST = (
    "table feed.log",
    "table feed.log_default",
    "table feed.identity",
    "table feed.adopted",
    "table feed.attached",
    "table feed.maintenance",
    "table feed.pacer",
    "table feed.flags",
    "table feed.instances",
    "table feed.delivery_journal",
    "table feed.user_presence",
    "sequence feed.log_seq",
    "sequence feed.partition_number",
    "sequence feed.partition_xid",
    "sequence feed.notify_suppressed_until",
    "function feed.capture()",
    "function feed.begin_statement()",
    "function feed.row_image(row_data record)",
    "function feed.version_opportunity()",
    "view feed.trigger_log",
    "view feed.health",
    "view feed.triggers",
    "view feed.opportunity_versions",
    "index log_xid on feed.log",
    "constraint log_pkey on feed.log",
    "column feed.log.origin",
    "column feed.log.notified",
)


@pytest.mark.any_version
@pytest.mark.parametrize("name", LOST)
async def test_dropped_objects_are_restored(db: Connection, conn: Plain, name: str) -> None:
    (wanted,) = (each for each in catalog.expected() if f"{each.kind} {each.name}" == name)
    feed_id = await value(db, "SELECT feed_id FROM feed.identity")
    await db.execute("UPDATE opportunities SET title = 'Before' WHERE id = 'o1'")
    await db.execute(drop(wanted).encode())
    assert name in (await doctor.schema(conn)).found
    await schema_repair.repair(conn)
    assert await catalog.faults(conn) == []
    await works(db)
    if wanted.kind in {"table", "column", "sequence", "schema"}:
        assert await value(db, "SELECT feed_id FROM feed.identity") != feed_id, "every client reloads"


@pytest.mark.any_version
async def test_columns_that_cannot_be_restored_are_an_error_and_change_nothing(db: Connection, conn: Plain) -> None:
    await db.execute("ALTER TABLE feed.log DROP COLUMN relation CASCADE")
    before = await rows(db, "SELECT * FROM feed.log")
    with pytest.raises(errors.NotNullViolation):
        await schema_repair.repair(conn)
    assert await rows(db, "SELECT * FROM feed.log") == before


@pytest.mark.any_version
async def test_a_foreign_search_path_makes_no_difference(db: Connection, conn: Plain) -> None:
    await conn.execute("SET search_path = feed, public")
    assert await catalog.faults(conn) == []


async def test_objects_of_the_application_are_not_reported(db: Connection, conn: Plain) -> None:
    """Grants to roles of the DBA, views on the log, partitions, and rows do not make the schema incomplete."""
    for statement in (
        "CREATE VIEW feed.mine AS SELECT * FROM feed.trigger_log",
        "SELECT feed.rotate_partition(), feed.maintain()",
        "CREATE INDEX my_index ON feed.log (actor)",
        "ALTER TABLE feed.boards ADD COLUMN color text",
        "ALTER TABLE feed.log ADD COLUMN note text",
    ):
        await db.execute(statement.encode())
    assert await catalog.faults(conn) == []
