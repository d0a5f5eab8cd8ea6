"""The cost of a read depends on the new rows, not on the size of the log."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from psycopg import AsyncClientCursor
from psycopg.sql import SQL, Identifier, Literal

from db.changelog.changes import LARGEST_IMAGE, read_changes
from db.changelog.positions import Seen
from db.changelog.prefetch import prepare_prefetch
from db.connection import PsycopgConnection
from db.embedded.server import EmbeddedPostgres
from db.sqlfiles import sql
from feed.access.tokens import Tokens
from feed.runtime import Runtime
from tests.support.database import Database, cloned

EXPLAIN = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)"
SIZE = 100_000
FIRST = 1_000
"""The xid of the log's first transaction; each row is one."""
NEXT = FIRST + SIZE
BY_XID, BY_SEQ = "log_1_xid_partition_number_idx", "log_1_pkey"


@pytest.fixture(params=["analyzed", "never analyzed"], scope="module")
async def big(request: pytest.FixtureRequest, server: EmbeddedPostgres, template: str) -> AsyncIterator[Database]:
    """A large log, which is only read."""
    with cloned(server, template) as database:
        await _fill(database)
        if request.param == "analyzed":
            await database.execute("ANALYZE feed.log")
        database.close_idle()
        yield database


async def _fill(database: Database) -> None:
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


@pytest.fixture(params=["the tailer's session", "a shared read's transaction"])
async def session(request: pytest.FixtureRequest, big: Database) -> AsyncIterator[PsycopgConnection]:
    settings = big.settings(jwt_secret="unused here, but long enough for HS256")
    runtime = Runtime(settings, Tokens(settings))
    if request.param == "the tailer's session":
        async with await runtime.tailer._connect() as conn:
            yield conn
    else:
        async with runtime.pool, runtime.recovery_tasks._shared_reads._source.primary_connection() as conn:
            yield conn


CASES: dict[str, tuple[Seen, Seen | None, list[str] | None, int]] = {
    "nothing new": (Seen(NEXT), None, None, 0),
    "one row": (Seen(NEXT - 1), None, None, 1),
    "forty rows": (Seen(NEXT - 40), None, None, 40),
    "two that were in progress": (Seen(NEXT, (FIRST + 5, FIRST + 50_000)), None, None, 2),
    "200 that were in progress": (Seen(NEXT - 3, tuple(range(FIRST, FIRST + 20_000, 100))), None, None, 203),
    "up to a position": (Seen(FIRST + 500), Seen(FIRST + 520, (FIRST + 510,)), None, 19),
    "up to an old position": (Seen(FIRST, ()), Seen(FIRST + 20), None, 20),
    "one client's boards": (Seen(NEXT - 40), None, ["b1", "b2"], 8),
}

FILTERED = {"one client's boards": 32, "up to a position": 1}


async def test_a_read_touches_only_what_is_new(session: PsycopgConnection) -> None:
    # All in one test, because each test has to create the large log.
    for collapsed in (False, True):
        for case, (since, until, boards, size) in CASES.items():
            # Often enough that PostgreSQL switches to the generic plan, if it would at all.
            for _ in range(7):
                reading = read_changes(session, since, until, boards, collapsed=collapsed, threshold=5000, chunk=1000)
                assert [sum(change.size for change in part.changes) async for part in reading] == [size], case
            plan = await _explained(session, since, until, boards, collapsed=collapsed)
            # Pruned partitions are absent from the plan, or present and never executed.
            scans = [node for node in _nodes(plan) if _is_of_log(node) and node["Actual Loops"]]
            assert scans, case
            assert {scan["Node Type"] for scan in scans} <= {"Index Scan", "Bitmap Heap Scan", "Bitmap Index Scan"}, (
                case
            )
            assert {scan["Index Name"] for scan in scans if "Index Name" in scan} <= {BY_XID, BY_SEQ}, case
            # New rows are found by xid; each row that is returned is then fetched by its key.
            fetched = [scan for scan in scans if scan.get("Index Name") == BY_SEQ]
            assert all(scan["Actual Rows"] <= 1 and scan["Actual Loops"] <= size for scan in fetched), case
            assert len(fetched) < len(scans), case
            # Filters remove only new rows: those of other boards, or in progress at `until`.
            removed = sum(scan.get("Rows Removed by Filter", 0) for scan in scans)
            assert removed <= FILTERED.get(case, 0), case


async def test_the_position_query_reads_only_the_ends_of_two_indexes(
    session: PsycopgConnection,
) -> None:
    ((plan,),) = await (await session.execute(f"{EXPLAIN} {sql('queries/position')}")).fetchall()
    scans = [node for node in _nodes(plan[0]["Plan"]) if _is_of_log(node)]
    # One row per index and partition, whatever the log's size.
    assert {scan["Index Name"] for scan in scans if scan["Actual Rows"]} == {BY_SEQ, BY_XID}
    assert all(scan["Actual Rows"] <= 1 and "Index Name" in scan for scan in scans)


@pytest.fixture
def partitioned(server: EmbeddedPostgres, big: Database) -> Iterator[Database]:
    """A clone, to add partitions to."""
    with cloned(server, big.name) as database:
        yield database


async def test_a_read_opens_only_partitions_that_can_contain_new_rows(partitioned: Database) -> None:
    """With many partitions, the prepared plan opens the newest one, or those since the reader's cursor."""
    big = partitioned
    settings = big.settings(jwt_secret="unused here, but long enough for HS256")
    runtime = Runtime(settings, Tokens(settings))
    for number in range(3, 13):
        await big.execute("SELECT feed.rotate_partition()")
        await big.execute("SELECT feed.make_partition(%s)", [number])
    await big.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b', 'B', '[]')")
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
    assert set(opened[1, 0]) == {f"log_{number}" for number in range(1, 12)}


def _is_of_log(node: dict[str, Any]) -> bool:
    names: tuple[str, str] = (node.get("Relation Name", ""), node.get("Index Name", ""))
    return any(name.startswith("log_") for name in names)


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(deeper for inner in node.get("Plans", []) for deeper in _nodes(inner))]


async def _explained(
    conn: PsycopgConnection, since: Seen, until: Seen | None, boards: list[str] | None, *, collapsed: bool
) -> dict[str, Any]:
    """Return the plan that this session uses for a read, that of the prepared statement if there is one."""
    query = sql("queries/latest_changes_since" if collapsed else "queries/changes_since")
    arguments: dict[str, object] = {
        "since_xmax": str(since.xmax),
        "since_xip": [str(xid) for xid in since.xip],
        "until_xmax": None if until is None else str(until.xmax),
        "until_xip": [] if until is None else [str(xid) for xid in until.xip],
        "boards": boards,
        "threshold": 5000,
        "largest": LARGEST_IMAGE,
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
        values = SQL(", ").join(Literal(arguments[name]) for name in names)
        executed = await conn.execute(SQL(EXPLAIN + " EXECUTE {}({})").format(Identifier(found[0]), values))
        ((plan,),) = await executed.fetchall()
    root: dict[str, Any] = plan[0]["Plan"]
    return root
