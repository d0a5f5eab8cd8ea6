"""The reads of the log cost what is new in it, and not what is old."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg import AsyncClientCursor
from psycopg.sql import SQL, Identifier, Literal

from db.changelog.changes import read_changes
from db.changelog.positions import Seen
from db.changelog.prefetch import prepare_prefetch
from db.connection import PsycopgConnection
from db.sqlfiles import sql
from feed.access.tokens import Tokens
from feed.runtime import Runtime
from tests.support.database import Database

EXPLAIN = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)"
SIZE = 100_000
FIRST = 1_000
"""The xid of the log's first transaction; each row is one."""
NEXT = FIRST + SIZE
BY_XID, BY_SEQ = "log_1_xid_partition_number_idx", "log_1_pkey"


@pytest.fixture(params=["analysed", "never analysed"])
async def big(request: pytest.FixtureRequest, database: Database) -> Database:
    await database.execute("ALTER TABLE feed.log_1 SET (autovacuum_enabled = off)")
    await database.execute(
        """
        INSERT INTO feed.log (xid, relation, op, key, board, old, new, version, actor, db_user, pid)
        SELECT (%(first)s::bigint + n)::text::xid8, 'opportunities', 'update', 'o' || n %% 1000, 'b' || n %% 10,
               jsonb_build_object('id', 'o' || n %% 1000, 'title', 'before'),
               jsonb_build_object('id', 'o' || n %% 1000, 'title', 'after'), n / 1000 + 1, 'ana', 'app', 1
        FROM generate_series(0, %(size)s::bigint - 1) AS n
        """,
        {"first": FIRST, "size": SIZE},
    )
    if request.param == "analysed":
        await database.execute("ANALYZE feed.log")
    return database


@pytest.fixture(params=["the tailer's session", "a shared read's transaction"])
async def session(request: pytest.FixtureRequest, big: Database) -> AsyncIterator[PsycopgConnection]:
    settings = big.settings(jwt_secret="of no use here, and long enough for HS256")
    runtime = Runtime(settings, Tokens(settings))
    if request.param == "the tailer's session":
        async with await runtime.tailer._connect() as conn:
            yield conn
    else:
        async with runtime.pool, runtime.recovery_tasks._shared_reads._primary_connection() as conn:
            yield conn


CASES: dict[str, tuple[Seen, Seen | None, list[str] | None, int]] = {
    "nothing new": (Seen(NEXT), None, None, 0),
    "one row": (Seen(NEXT - 1), None, None, 1),
    "forty rows": (Seen(NEXT - 40), None, None, 40),
    "two that were in progress": (Seen(NEXT, (FIRST + 5, FIRST + 50_000)), None, None, 2),
    "200 that were in progress": (Seen(NEXT - 3, tuple(range(FIRST, FIRST + 20_000, 100))), None, None, 203),
    "up to a place": (Seen(FIRST + 500), Seen(FIRST + 520, (FIRST + 510,)), None, 19),
    "up to a place, long ago": (Seen(FIRST, ()), Seen(FIRST + 20), None, 20),
    "one client's boards": (Seen(NEXT - 40), None, ["b1", "b2"], 8),
}

LEFT_OUT = {"one client's boards": 32, "up to a place": 1}


async def test_a_read_touches_only_what_is_new(session: PsycopgConnection) -> None:
    # All in one test: the log is large, and made anew for each.
    for collapsed in (False, True):
        for case, (since, until, boards, size) in CASES.items():
            # Often enough that a session which may choose has gone over to the generic plan, if it would.
            for _ in range(7):
                reading = read_changes(session, since, until, boards, collapsed=collapsed, threshold=5000, chunk=1000)
                assert [sum(change.size for change in part.changes) async for part in reading] == [size], case
            plan = await _explained(session, since, until, boards, collapsed=collapsed)
            # Partitions that are left out are not there, or are there and never run.
            scans = [node for node in _nodes(plan) if _is_of_log(node) and node["Actual Loops"]]
            assert scans, case
            assert {scan["Node Type"] for scan in scans} <= {"Index Scan", "Bitmap Heap Scan", "Bitmap Index Scan"}, (
                case
            )
            assert {scan["Index Name"] for scan in scans if "Index Name" in scan} <= {BY_XID, BY_SEQ}, case
            # What is new is found by its transactions; each row of it that is told is then fetched, by itself.
            fetched = [scan for scan in scans if scan.get("Index Name") == BY_SEQ]
            assert all(scan["Actual Rows"] <= 1 and scan["Actual Loops"] <= size for scan in fetched), case
            assert len(fetched) < len(scans), case
            # What is left out by a filter lies within what is new: rows of other boards, or in progress at `until`.
            removed = sum(scan.get("Rows Removed by Filter", 0) for scan in scans)
            assert removed <= LEFT_OUT.get(case, 0), case


async def test_the_place_where_the_log_stands_is_read_from_the_ends_of_two_indexes(
    session: PsycopgConnection,
) -> None:
    ((plan,),) = await (await session.execute(f"{EXPLAIN} {sql('queries/position')}")).fetchall()
    scans = [node for node in _nodes(plan[0]["Plan"]) if _is_of_log(node)]
    # Of each partition: a few, whatever the log's size.
    assert {scan["Index Name"] for scan in scans if scan["Actual Rows"]} == {BY_SEQ, BY_XID}
    assert all(scan["Actual Rows"] <= 1 and "Index Name" in scan for scan in scans)


async def test_a_read_opens_the_partitions_that_can_have_what_is_new(big: Database) -> None:
    """After many eras a sweep opens one partition, by its prepared plan; one who was away since an earlier era, those since."""
    settings = big.settings(jwt_secret="of no use here, and long enough for HS256")
    runtime = Runtime(settings, Tokens(settings))
    for era in range(3, 13):
        await big.execute("SELECT feed.rotate_partition()")
        await big.execute("SELECT feed.make_partition(%s)", [era])
    await big.execute("INSERT INTO boards (id, name, phases) VALUES ('b', 'B', '[]')")
    (newest,) = await big.execute(
        "SELECT xid::text::bigint AS xid, partition_number FROM feed.log ORDER BY seq DESC LIMIT 1"
    )
    assert newest["partition_number"] == 11
    async with await runtime.tailer._connect() as conn:
        await prepare_prefetch(conn)
        opened = {}
        for since, xip in ((newest["xid"], []), (newest["xid"], [newest["xid"] - 1]), (1, [])):
            arguments = SQL(", ").join(map(Literal, (str(since), "{" + ",".join(map(str, xip)) + "}", 1000)))
            ((plan,),) = await (
                await conn.execute(SQL(EXPLAIN + " EXECUTE changes_since({})").format(arguments))
            ).fetchall()
            scans = [node for node in _nodes(plan[0]["Plan"]) if _is_of_log(node) and "Relation Name" in node]
            opened[since, len(xip)] = sorted(scan["Relation Name"] for scan in scans)
    assert opened[newest["xid"], 0] == ["log_11"]
    assert set(opened[newest["xid"], 1]) >= {"log_11"}
    assert set(opened[1, 0]) == {f"log_{era}" for era in range(1, 12)}


def _is_of_log(node: dict[str, Any]) -> bool:
    names: tuple[str, str] = (node.get("Relation Name", ""), node.get("Index Name", ""))
    return any(name.startswith("log_") for name in names)


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(deeper for inner in node.get("Plans", []) for deeper in _nodes(inner))]


async def _explained(
    conn: PsycopgConnection, since: Seen, until: Seen | None, boards: list[str] | None, *, collapsed: bool
) -> dict[str, Any]:
    """The plan of a read, as it runs in this session: of the statement that psycopg has prepared, if it has."""
    query = sql("queries/latest_changes_since" if collapsed else "queries/changes_since")
    arguments: dict[str, object] = {
        "since_xmax": str(since.xmax),
        "since_xip": [str(xid) for xid in since.xip],
        "until_xmax": None if until is None else str(until.xmax),
        "until_xip": [] if until is None else [str(xid) for xid in until.xip],
        "boards": boards,
        "threshold": 5000,
        "after_ends": None,
        "after_seq": None,
    }
    prepared = await conn.execute(
        "SELECT name FROM pg_prepared_statements WHERE starts_with(statement, %s) AND NOT from_sql",
        (query.partition("\n")[0],),
    )
    if (found := await prepared.fetchone()) is None:
        explained = await AsyncClientCursor(conn).execute(f"{EXPLAIN} {query}", arguments)
        ((plan,),) = await explained.fetchall()
    else:
        names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", query)))
        given = SQL(", ").join(Literal(arguments[name]) for name in names)
        executed = await conn.execute(SQL(EXPLAIN + " EXECUTE {}({})").format(Identifier(found[0]), given))
        ((plan,),) = await executed.fetchall()
    root: dict[str, Any] = plan[0]["Plan"]
    return root
