"""Who may do what: each role its own, the log nobody's."""

from collections.abc import AsyncIterator
from typing import LiteralString

import pytest
from psycopg import sql

from tests.db.support import Connection, logged, mark, refusal
from tests.support.database import Database

ROLES = ("feed_app", "feed_listener", "feed_dba", "nobody")
DENIED = "42501"

# Statement: who may. Nobody else may, and is told so by SQLSTATE 42501.
RIGHTS: dict[LiteralString, set[str]] = {
    "SELECT * FROM opportunities": {"feed_app", "feed_listener", "feed_dba"},
    "INSERT INTO opportunities (board_id) VALUES ('b1')": {"feed_app"},
    "UPDATE opportunities SET title = 'x'": {"feed_app"},
    "DELETE FROM opportunities": {"feed_app"},
    "TRUNCATE opportunities": set(),
    "SELECT * FROM boards": {"feed_app", "feed_dba"},
    "UPDATE boards SET name = 'x'": {"feed_app"},
    "SELECT * FROM users": {"feed_app", "feed_dba"},
    "INSERT INTO users VALUES ('x')": {"feed_app"},
    "SELECT * FROM board_members": {"feed_app", "feed_listener", "feed_dba"},
    "INSERT INTO board_members VALUES ('b1', 'ana', 'viewer')": {"feed_app"},
    "SELECT * FROM opportunity_versions": {"feed_app", "feed_dba"},
    "SELECT * FROM feed.editing": {"feed_app", "feed_dba"},
    "SELECT * FROM user_presence": {"feed_app", "feed_listener", "feed_dba"},
    "DELETE FROM user_presence": {"feed_app", "feed_listener"},
    "SELECT * FROM feed.log": {"feed_app", "feed_listener", "feed_dba"},
    "INSERT INTO feed.log (relation, op, actor, db_user, pid) VALUES ('x', 'insert', 'x', 'x', 1)": set(),
    "UPDATE feed.log SET actor = 'x'": set(),
    "DELETE FROM feed.log": set(),
    "TRUNCATE feed.log": set(),
    "SELECT * FROM feed.log_1": set(),
    "INSERT INTO feed.log_1 (seq, relation, op, actor, db_user, pid, era) VALUES (0, 'x', 'insert', 'x', 'x', 1, 1)": set(),
    "UPDATE feed.log_1 SET actor = 'x'": set(),
    "DELETE FROM feed.log_1": set(),
    "TRUNCATE feed.log_1": set(),
    "TRUNCATE feed.log_default": set(),
    "DROP TABLE feed.log_1": set(),
    "ALTER TABLE feed.log DETACH PARTITION feed.log_1": set(),
    "SELECT nextval('feed.era')": set(),
    "SELECT setval('feed.era_xid', 1)": set(),
    "UPDATE feed.keeper SET retention = '1 second'": set(),
    "SELECT feed.keep()": {"feed_app", "feed_listener"},
    "SELECT feed.turn()": set(),
    "SELECT feed.make_partition(9)": set(),
    "SELECT nextval('feed.log_seq')": set(),
    "SELECT setval('feed.log_seq', 1)": set(),
    "LOCK feed.log IN ACCESS EXCLUSIVE MODE": set(),
    "SELECT * FROM feed.identity": {"feed_app", "feed_listener", "feed_dba"},
    "UPDATE feed.identity SET feed_id = 'x'": set(),
    "SELECT * FROM feed.tickets": {"feed_app", "feed_listener"},
    "DELETE FROM feed.tickets": {"feed_app", "feed_listener"},
    "UPDATE feed.tickets SET user_id = 'x'": set(),
    "SELECT * FROM feed.pacer": {"feed_app", "feed_listener", "feed_dba"},
    "UPDATE feed.pacer SET instance = 'x', pid = 1, until = now(), mode = 'x', rung = 1, since = now()": {
        "feed_app",
        "feed_listener",
    },
    "UPDATE feed.pacer SET one = true": set(),
    "INSERT INTO feed.pacer (one) VALUES (false)": set(),
    "DELETE FROM feed.pacer": set(),
    "SELECT last_value FROM feed.pulse": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT setval('feed.pulse', 1)": {"feed_app", "feed_listener"},
    "ALTER SEQUENCE feed.pulse RESTART": set(),
    "SELECT * FROM feed.adopted": {"feed_app", "feed_dba"},
    "SELECT feed.identify()": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT * FROM feed.unseen('1', '{}')": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT feed.changes('{}', '{}')": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT feed.row_key('{\"id\": 1}', '{id}')": {"feed_app", "feed_listener", "feed_dba"},
    "SELECT feed.ring(1, 'x', 'x')": set(),
    "SELECT feed.attach('opportunities')": set(),
    "SELECT feed.detach('opportunities')": set(),
    "SELECT feed.prune(now())": set(),
    "SELECT feed.reset_feed()": set(),
    "ALTER TABLE opportunities DISABLE TRIGGER ALL": set(),
    "SET session_replication_role = replica": set(),
}


@pytest.fixture
async def people(db: Connection, database: Database) -> AsyncIterator[dict[str, str]]:
    """A login role of this database's own in each group; roles belong to the whole server."""
    logins = {role: f"{database.name}_{role}" for role in ROLES}
    for role, login in logins.items():
        await db.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(login)))
        if role != "nobody":
            await db.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(login)))
    yield logins
    await db.execute("RESET SESSION AUTHORIZATION")
    for login in logins.values():
        await db.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_may_do_what_it_is_for(db: Connection, people: dict[str, str], role: str) -> None:
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(people[role])))
    found = {statement: await refusal(db, statement) for statement in RIGHTS}
    # A TABLE that others own is locked by nobody; ALTER of one is refused by the same state.
    assert found == {statement: None if role in allowed else DENIED for statement, allowed in RIGHTS.items()}


async def test_a_writer_is_logged_without_a_right_to_the_log(db: Connection, people: dict[str, str]) -> None:
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(people["feed_app"])))
    before = await mark(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    await db.execute("UPDATE boards SET name = 'B' WHERE id = 'b1'")
    assert {(row["actor"], row["db_user"]) for row in await logged(db, before)} == {(people["feed_app"],) * 2}


async def test_an_application_that_was_never_granted_anything_of_ours(db: Connection, people: dict[str, str]) -> None:
    """The application that was there first writes with its own rights: ours are none of its business."""
    nobody = sql.Identifier(people["nobody"])
    await db.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON opportunities TO {}").format(nobody))
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(nobody))
    before = await db.execute("UPDATE opportunities SET title = 'B' RETURNING version_number")
    assert await before.fetchall() == [{"version_number": 2}]
    await db.execute("INSERT INTO opportunities (board_id) VALUES ('b1')")
    await db.execute("DELETE FROM opportunities")
    await db.execute("RESET SESSION AUTHORIZATION")
    assert [row["op"] for row in await logged(db)][-4:] == ["update", "insert", "delete", "delete"]
    await db.execute(sql.SQL("REVOKE ALL ON opportunities FROM {}").format(nobody))


async def test_capture_is_a_trigger_and_nothing_else(db: Connection, people: dict[str, str]) -> None:
    """Nobody writes to the log by putting capture on a table of his own."""
    login = sql.Identifier(people["feed_app"])
    await db.execute(sql.SQL("CREATE SCHEMA mine AUTHORIZATION {}").format(login))
    await db.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(login))
    await db.execute("CREATE TABLE mine.opportunities (id text PRIMARY KEY)")
    assert (
        await refusal(
            db,
            "CREATE TRIGGER forged AFTER INSERT ON mine.opportunities REFERENCING NEW TABLE AS new_rows "
            "FOR EACH STATEMENT EXECUTE FUNCTION feed.capture('', 'id')",
        )
        == DENIED
    )
    await db.execute("RESET SESSION AUTHORIZATION")
    await db.execute("DROP SCHEMA mine CASCADE")
