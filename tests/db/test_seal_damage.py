# ruff: noqa: S608 - statements of this file
"""Whatever is altered in a sealed log is found: each column of a row, rows that come or go, and the seals themselves."""

from collections.abc import AsyncIterator
from typing import LiteralString, NamedTuple

import psycopg
import pytest

from db.changelog.seals import BrokenSeal, seal_number
from db.session import with_settings
from tests.db.sealing import broken, newest_hash, run, seal_all, switch_on
from tests.db.support import Connection, rows, value
from tests.db.test_verify_damage import SETUP
from tests.db.verifying import Plain
from tests.support.database import Database

pytestmark = pytest.mark.any_version

# A value that each column can have, and does not have.
CHANGED: dict[str, LiteralString] = {
    "seq": "seq + 100000",
    "xid": "(xid::text::bigint + 100000)::text::xid8",
    "at": "at + interval '1 microsecond'",
    "partition_number": "partition_number % 3 + 1",
    "relation": "relation || 'x'",
    "op": "CASE op WHEN 'update' THEN 'insert' ELSE 'update' END",
    "key": "coalesce(key, '') || 'x'",
    "board": "nullif(coalesce(board, ''), board)",
    "old": "coalesce(old, '{}') || '{\"n\": 77}'",
    "new": "coalesce(new, '{}') || '{\"n\": 77}'",
    "delta": "coalesce(delta, 0) + 1",
    "image_hash": "coalesce(image_hash, 0) + 1",
    "version": "coalesce(version, 0) + 1",
    "parents": "coalesce(parents, '{}')",
    "actor": "actor || 'x'",
    "origin": "coalesce(origin, '')",
    "traceparent": "coalesce(traceparent, 'NULL')",
    "db_user": "db_user || 'x'",
    "application": "application || ' '",
    "client_addr": "'10.0.0.1'",
    "pid": "pid + 1",
    "notified": "NOT notified",
    "image_bytes": "coalesce(image_bytes, 0)",
}
TARGETS: tuple[LiteralString, ...] = (
    "(SELECT min(seq) FROM feed.log)",
    "(SELECT max(seq) FROM feed.log)",
    "(SELECT seq FROM feed.log WHERE op = 'leave')",
    "(SELECT seq FROM feed.log WHERE op = 'delete' ORDER BY seq LIMIT 1)",
)
ROW: LiteralString = "(SELECT seq FROM feed.log WHERE op = 'leave')"
COPY: LiteralString = (
    "INSERT INTO feed.log SELECT (jsonb_populate_record(l, jsonb_build_object({changes}))).*"
    " FROM feed.log AS l WHERE seq = {row}"
)
LAST_SEALS_AND_ROWS: LiteralString = """
    DELETE FROM feed.seals WHERE number > (SELECT max(number) - 2 FROM feed.seals);
    DELETE FROM feed.log AS l USING (SELECT * FROM feed.seals ORDER BY number DESC LIMIT 1) AS s
    WHERE l.partition_number > s.partition_number OR l.partition_number = s.partition_number
      AND (l.xid, l.seq) > (s.xid, coalesce(s.part_seq, 9223372036854775807))
"""
RECOMPUTE: tuple[LiteralString, ...] = (
    """
    UPDATE feed.seals AS s SET rows_hash = (
        SELECT h.hash FROM feed.seals AS b CROSS JOIN LATERAL feed.hash_changes(
            s.partition_number, CASE WHEN b.partition_number = s.partition_number THEN b.xid ELSE '0' END,
            CASE WHEN b.partition_number = s.partition_number THEN coalesce(b.part_seq, 9223372036854775807) ELSE 0 END,
            s.xid, coalesce(s.part_seq, 9223372036854775807)) AS h
        WHERE b.number = s.number - 1)
    WHERE number = %s
    """,
    """
    UPDATE feed.seals AS s SET hash = feed.seal_hash(s, (SELECT b.hash FROM feed.seals AS b WHERE b.number = s.number - 1))
    WHERE number = %s
    """,
)
ROWS, HASH, NUMBER = "rows", "hash", "number"


class Damage(NamedTuple):
    statement: str
    columns: set[str]
    """What differs."""


def copy(row: LiteralString, changes: LiteralString) -> str:
    return COPY.replace("{changes}", changes).replace("{row}", row)


DAMAGES = {
    "a row deleted": Damage(f"DELETE FROM feed.log WHERE seq = {ROW}", {ROWS}),
    "the first row deleted": Damage("DELETE FROM feed.log WHERE seq = (SELECT min(seq) FROM feed.log)", {ROWS}),
    "the last row deleted": Damage("DELETE FROM feed.log WHERE seq = (SELECT max(seq) FROM feed.log)", {ROWS}),
    "a transaction deleted": Damage(
        f"DELETE FROM feed.log WHERE xid = (SELECT xid FROM feed.log WHERE seq = {ROW})", {ROWS}
    ),
    "a partition emptied": Damage("DELETE FROM feed.log_1", {ROWS}),
    "a partition in the middle dropped": Damage("DROP TABLE feed.log_2", {ROWS}),
    "a partition in the middle detached": Damage("ALTER TABLE feed.log DETACH PARTITION feed.log_2", {ROWS}),
    "the log emptied": Damage("DELETE FROM feed.log", {ROWS}),
    "a row inserted": Damage(copy(ROW, "'seq', nextval('feed.log_seq'), 'key', 'new'"), {ROWS}),
    "a row inserted as the first": Damage(copy(ROW, "'seq', 0, 'xid', '0', 'partition_number', 1"), {ROWS}),
    "a row inserted in a transaction that wrote nothing": Damage(
        copy(ROW, "'seq', -5, 'xid', (l.xid::text::bigint - 1)::text"), {ROWS}
    ),
    "a row inserted at the end of an older partition": Damage(
        copy(ROW, "'seq', nextval('feed.log_seq'), 'xid', pg_current_xact_id()"), {ROWS}
    ),
    "a row inserted into a partition that was skipped": Damage(copy(ROW, "'partition_number', 4, 'seq', -5"), {ROWS}),
    "two rows exchanged": Damage(
        f"UPDATE feed.log AS l SET op = o.op, key = o.key, board = o.board, old = o.old, new = o.new FROM feed.log AS o"
        f" WHERE (l.seq, o.seq) IN (({ROW}, {ROW} + 1), ({ROW} + 1, {ROW}))",
        {ROWS},
    ),
    "the numbers of two rows exchanged": Damage(
        f"UPDATE feed.log SET seq = -seq WHERE seq IN ({ROW}, {ROW} + 1);"
        " UPDATE feed.log SET seq = (SELECT -sum(seq) FROM feed.log WHERE seq < 0) + seq WHERE seq < 0",
        {ROWS},
    ),
    "a seal's hash": Damage("UPDATE feed.seals SET hash = md5(hash) WHERE number = 3", {HASH}),
    "a seal's hash of rows": Damage("UPDATE feed.seals SET rows_hash = md5(rows_hash) WHERE number = 3", {ROWS, HASH}),
    "a seal's position": Damage("UPDATE feed.seals SET xid = (SELECT max(xid) FROM feed.log) WHERE number = 3", {HASH}),
    "a seal's time": Damage("UPDATE feed.seals SET sealed_at = sealed_at - interval '1 microsecond'", {HASH}),
    "a seal's number of rows": Damage("UPDATE feed.seals SET changes = changes + 1 WHERE number = 3", {ROWS, HASH}),
    "the first seal removed": Damage("DELETE FROM feed.seals WHERE number = 1", {NUMBER}),
    "a seal in the middle removed": Damage("DELETE FROM feed.seals WHERE number = 4", {NUMBER}),
    "several seals removed": Damage("DELETE FROM feed.seals WHERE number BETWEEN 3 AND 6", {NUMBER}),
    "a seal removed and the others numbered again": Damage(
        "DELETE FROM feed.seals WHERE number = 4; UPDATE feed.seals SET number = -number WHERE number > 4;"
        " UPDATE feed.seals SET number = -number - 1 WHERE number < 0",
        {HASH},
    ),
    "two seals exchanged": Damage(
        "UPDATE feed.seals SET number = -number WHERE number IN (4, 5);"
        " UPDATE feed.seals SET number = 9 + number WHERE number < 0",
        {HASH},
    ),
}


@pytest.fixture
async def sealed(database: Database) -> AsyncIterator[Connection]:
    """A database whose log is sealed, in three partitions, one more without rows, and a current one."""
    async with await database.connect() as db:
        await run(
            db,
            (
                "INSERT INTO users (id, name) VALUES ('ana', 'Ana')",
                "INSERT INTO feed.boards (id, name, phases) VALUES ('b1', 'One', '[]'), ('b2', 'Two', '[]')",
                "INSERT INTO opportunities (id, board_id, title, phase) VALUES ('o1', 'b1', 'A deal', 'new')",
                *SETUP,
                "SELECT feed.rotate_partition(), feed.maintain()",
                "SELECT feed.rotate_partition(), feed.maintain()",
                "UPDATE opportunities SET title = 'Four' WHERE id = 'o1'",
            ),
        )
        await switch_on(db)
        await seal_all(db)
        yield db


@pytest.fixture
async def conn(database: Database, sealed: Connection) -> AsyncIterator[Plain]:
    options = with_settings({})
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True, options=options) as conn:
        assert await broken(conn) == []
        yield conn


async def test_every_column_is_tried(sealed: Connection) -> None:
    found = await rows(
        sealed,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'feed.log'::regclass AND attnum > 0 AND NOT attisdropped",
    )
    assert {row["attname"] for row in found} == set(CHANGED)


@pytest.mark.parametrize("column", CHANGED)
async def test_a_changed_column_is_found(sealed: Connection, conn: Plain, column: str) -> None:
    for target in TARGETS:
        seq = await value(sealed, f"SELECT seq FROM feed.log WHERE seq = {target}")
        async with conn.transaction(force_rollback=True):
            await conn.execute(f"UPDATE feed.log SET {column} = {CHANGED[column]} WHERE seq = {seq}".encode())
            found = await broken(conn)
            assert found != [], target
            assert {each for seal in found for each in seal.columns} == {ROWS}
            (covering,) = [seal for seal in found if _covers(seal, seq)][:1]
            assert covering.found in {covering.sealed, covering.sealed - 1}
    assert await broken(conn) == []


def _covers(seal: BrokenSeal, seq: int) -> bool:
    return seal.first_seq is not None and seal.last_seq is not None and seal.first_seq <= seq <= seal.last_seq


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
async def test_damage_is_found(sealed: Connection, conn: Plain, damage: Damage) -> None:
    await sealed.execute(damage.statement.encode())
    assert damage.columns & {each for seal in await broken(conn) for each in seal.columns}


async def test_the_first_seal_that_differs_is_named_first(sealed: Connection, conn: Plain) -> None:
    await sealed.execute(f"UPDATE feed.log SET actor = 'x' WHERE seq >= {ROW}".encode())
    first, *_ = await broken(conn)
    assert _covers(first, await value(sealed, f"SELECT {ROW}"))


@pytest.mark.parametrize("statement", [LAST_SEALS_AND_ROWS, "TRUNCATE feed.seals"], ids=["the last", "all"])
async def test_only_a_noted_hash_shows_that_seals_were_removed(sealed: Connection, conn: Plain, statement: str) -> None:
    noted = await newest_hash(sealed)
    assert await seal_number(conn, noted.upper()) == await value(sealed, "SELECT max(number) FROM feed.seals")
    await sealed.execute(statement.encode())
    assert await broken(conn) == []
    assert await seal_number(conn, noted) is None


async def test_an_altered_row_with_a_matching_seal_breaks_the_next_one(sealed: Connection, conn: Plain) -> None:
    await sealed.execute(f"UPDATE feed.log SET actor = 'nobody' WHERE seq = {ROW}".encode())
    (found,) = await broken(conn)
    for statement in RECOMPUTE:
        await sealed.execute(statement, (found.number,))
    (after,) = await broken(conn)
    assert (after.number, after.columns) == (found.number + 1, [HASH])


async def test_only_a_noted_hash_shows_that_everything_was_rewritten(sealed: Connection, conn: Plain) -> None:
    noted = await newest_hash(sealed)
    await sealed.execute(f"UPDATE feed.log SET actor = 'nobody' WHERE seq = {ROW}".encode())
    await sealed.execute("TRUNCATE feed.seals")
    await seal_all(sealed)
    assert await broken(conn) == []
    assert await seal_number(conn, noted) is None
