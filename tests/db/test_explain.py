"""feed.explain shows what happened to a change, feed.explain_cursor what a cursor covers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db import instances
from db.changelog.positions import Seen, read_position, read_proof
from db.instances import ClientPosition, Delivery
from feed.wire.cursor import Cursor
from tests.db.support import Connection, newest_seq, rows, value
from tests.db.test_dba import current_cursor, instance_status, write_as
from tests.support.database import Database

pytestmark = pytest.mark.any_version


@pytest.fixture
async def plain(database: Database) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
        yield conn


async def explain(db: Connection, seq: int | None) -> list[dict[str, Any]]:
    return await rows(db, "SELECT * FROM feed.explain(%s::bigint)", (seq,))


async def client_cursor(plain: psycopg.AsyncConnection[Any]) -> Cursor:
    return Cursor.at((await read_proof(plain, 0)).feed_id, await read_position(plain))


def delivery(since: str, cursor: str, **overrides: Any) -> Delivery:
    fields = {"events": 1, "reads": 1, "deliveries": 2, "clients": 3, "late": 0, "boards": {"b1": 2}}
    return Delivery(**{"read_at": 0.25, "delivered_at": 0.125, "since": since, "cursor": cursor, **fields, **overrides})


async def test_explain_shows_write_source_commit_and_deliveries(db: Connection, database: Database, plain: Any) -> None:
    early = await current_cursor(db)
    await write_as(database, "UPDATE opportunities SET phase = 'won'")
    seq = await newest_seq(db)
    late = await current_cursor(db)
    await db.execute("UPDATE opportunities SET title = 'later'")
    await instances.report(plain, instance_status(early, instance="feed-early"))
    await instances.report(plain, instance_status(late, instance="feed-late", running=3000.0))
    await instances.report(plain, instance_status(late, instance="feed-young", running=-1.0))
    steps = {row["step"]: row["what"] for row in await explain(db, seq)}
    assert steps["write"].endswith("of opportunities o1 by boardcast: phase: new -> won")
    assert steps["from"].startswith("psql, application psql, database user boardcast, address 127.0.0.1, pid ")
    assert steps["commit"].endswith(", change 1 of 1")
    assert steps["notify"] == "sent by the transaction, at commit"
    assert steps["since then"] == "later changes to the row: 1"
    of_instances = [row["what"] for row in await explain(db, seq) if row["step"] == "delivered"]
    assert of_instances[0].startswith("feed-early: not yet")
    assert of_instances[1].startswith("feed-late: by this time, to those of its 3 clients that see board b1")
    assert of_instances[2].startswith("feed-young: started later")


async def test_read_and_delivery_times_come_from_the_journal_entry_of_the_pass(db: Connection, plain: Any) -> None:
    cursors = [await current_cursor(db)]
    for number in range(3):
        await db.execute("UPDATE opportunities SET title = %s", (f"T{number}",))
        cursors.append(await current_cursor(db))
    seq = await newest_seq(db) - 1
    await value(db, "SELECT pg_sleep(0.3)")
    deliveries = [delivery(since, cursor, late=at) for at, (since, cursor) in enumerate(pairwise(cursors))]
    positions = [ClientPosition(cursors[1], 4, 0.1, 0.05), ClientPosition(cursors[2], 2, 0.2, 0.1)]
    await instances.report(
        plain, instance_status(cursors[3], instance="feed-1", client_positions=positions), deliveries
    )
    folded = delivery(cursors[0], cursors[3], reads=3, events=3, boards=None)
    await instances.report(plain, instance_status(cursors[3], instance="feed-2"), [folded])
    (kept,) = await rows(db, "SELECT read_at, delivered_at FROM feed.delivery_journal WHERE late = 1")
    found = await explain(db, seq)
    (read, also), (first, second) = ([row for row in found if row["step"] == step] for step in ("read", "delivered"))
    assert (read["at"], first["at"]) == (kept["read_at"], kept["delivered_at"])
    assert first["at"] - read["at"] == timedelta(seconds=0.125)
    assert read["what"] == "feed-1: changes read: 1"
    assert (
        first["what"]
        == "feed-1: to 2 of its 3 clients, those that see board b1; slow clients, which get it from the log later: 1"
    )
    assert also["what"] == "feed-2: changes read: 3, in 3 read passes, the first at this time"
    assert second["what"] == "feed-2: to those of its 3 clients that see board b1, by this time"
    (has_it,) = [row for row in found if row["step"] == "confirmed"]
    assert has_it["what"] == f"feed-1: by 2 of its clients, with a cursor that covers it: {cursors[2]} (2)"
    (behind,) = [row for row in found if row["step"] == "not confirmed"]
    assert behind["what"] == "feed-1: by 4 of its clients, whose last confirmed cursor does not cover it"


async def test_steps_are_in_order_of_time_and_after_is_relative_to_the_write(db: Connection, plain: Any) -> None:
    before = await current_cursor(db)
    async with db.transaction():
        await db.execute("UPDATE opportunities SET title = 'first'")
        await value(db, "SELECT pg_sleep(0.02)")
        await db.execute("UPDATE opportunities SET title = 'second'")
        await value(db, "SELECT pg_sleep(0.02)")
    await value(db, "SELECT pg_sleep(0.3)")
    await instances.report(
        plain, instance_status(await current_cursor(db)), [delivery(before, await current_cursor(db))]
    )
    found = await explain(db, await newest_seq(db))
    assert [row["step"] for row in found] == [
        "transaction", "write", "from", "commit", "notify", "read", "delivered", "since then"
    ]  # fmt: skip
    timed = [row for row in found if row["at"] is not None]
    times = [row["at"] for row in timed]
    assert times == sorted(times)
    written_at = next(row["at"] for row in found if row["step"] == "write")
    assert all(row["after"] == row["at"] - written_at for row in timed)
    by_step = {row["step"]: row["after"] for row in found}
    assert by_step["transaction"] <= timedelta(seconds=-0.02)
    assert by_step["commit"] >= timedelta(seconds=0.02)
    assert await value(db, "SHOW track_commit_timestamp") == "on"


async def test_deliveries_of_a_removed_instance_are_shown(db: Connection, plain: Any) -> None:
    before = await current_cursor(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    await instances.report(
        plain,
        instance_status(await current_cursor(db)),
        [delivery(before, await current_cursor(db), read_at=0.0, delivered_at=0.0)],
    )
    await instances.remove(plain, "feed-1")
    assert [row["what"][:8] for row in await explain(db, await newest_seq(db)) if row["step"] == "delivered"] == [
        "feed-1: "
    ]


async def test_a_pass_that_began_after_the_change_did_not_deliver_it(db: Connection, plain: Any) -> None:
    """This happens after a crash, which empties the unlogged journal."""
    await db.execute("UPDATE opportunities SET title = 'B'")
    seq, since = await newest_seq(db), await current_cursor(db)
    await db.execute("UPDATE opportunities SET title = 'C'")
    await instances.report(
        plain,
        instance_status(await current_cursor(db), running=3000.0),
        [delivery(since, await current_cursor(db), read_at=0.0, delivered_at=0.0)],
    )
    (row,) = [row for row in await explain(db, seq) if row["step"] == "delivered"]
    assert row["what"].startswith("feed-1: by this time, ")


async def test_changes_of_no_board_and_of_all_boards(db: Connection, plain: Any) -> None:
    before = await current_cursor(db)
    await db.execute("CREATE TABLE tasks (id int PRIMARY KEY)")
    await db.execute("SELECT feed.attach('tasks')")
    await db.execute("INSERT INTO tasks VALUES (1)")
    task = await newest_seq(db)
    await db.execute("TRUNCATE tasks")
    row = delivery(before, await current_cursor(db), read_at=0.0, delivered_at=0.0)
    await instances.report(plain, instance_status(await current_cursor(db)), [row])
    (of_none,) = [row for row in await explain(db, task) if row["step"] == "delivered"]
    (of_all,) = [row for row in await explain(db, task + 1) if row["step"] == "delivered"]
    assert of_none["what"] == "feed-1: to nobody: the change belongs to no board"
    assert of_all["what"] == "feed-1: to all of its 3 clients"


async def test_why_a_change_is_not_found(db: Connection, database: Database) -> None:
    first = await newest_seq(db)
    with pytest.raises(psycopg.errors.RaiseException):
        await db.execute("DO $$ BEGIN UPDATE opportunities SET phase = 'x'; RAISE EXCEPTION 'no'; END $$")
    await db.execute("UPDATE opportunities SET phase = 'y'")

    async def why(seq: int | None) -> str:
        (row,) = await explain(db, seq)
        assert row["step"] == "not found"
        return str(row["what"])

    assert await why(first + 1) == "its transaction was rolled back: sequence numbers are not reused"
    assert await why(first + 3) == f"not written yet, or not committed: the newest is {first + 2}"
    assert await why(0) == await why(None) == "no change has this sequence number"
    async with await database.connect() as other, other.transaction(force_rollback=True):
        await other.execute("UPDATE opportunities SET phase = 'z'")
        await db.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('b3', 'Three', '[]')")
        assert (await why(first + 3)).endswith("or is not committed yet: some transactions are in progress")
    await db.execute("SELECT feed.prune(now())")
    assert (await why(first)).startswith("pruned, together with all changes up to ")


async def resumes(db: Connection, cursor: object) -> str:
    found = await rows(db, "SELECT * FROM feed.explain_cursor(%s)", (str(cursor),))
    (row,) = [row for row in found if row["step"] == "resumes"]
    return str(row["what"])


async def test_explain_cursor_shows_what_a_client_has_and_lacks(db: Connection, plain: Any) -> None:
    cursor = await client_cursor(plain)
    found = await rows(db, "SELECT * FROM feed.explain_cursor(%s)", (str(cursor),))
    assert [row["step"] for row in found] == ["cursor", "has", "lacks", "resumes"]
    assert found[1]["what"] == f"change {cursor.anchor} as the newest: insert of opportunities o1 by boardcast"
    assert (found[2]["what"], found[2]["at"]) == ("nothing: it is up to date", None)
    assert found[3]["what"].startswith("yes: ")
    await db.execute("UPDATE opportunities SET title = 'B'")
    await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b2'), ('o3', 'b2')")
    await instances.report(
        plain, instance_status(str(cursor), client_positions=[ClientPosition(str(cursor), 5, 0.2, 0.1)])
    )
    found = await rows(db, "SELECT * FROM feed.explain_cursor(%s)", (str(cursor),))
    (oldest,) = await rows(db, "SELECT at FROM feed.log WHERE seq = %s", (cursor.anchor + 1,))
    lacking = [(row["what"], row["at"] == oldest["at"]) for row in found if row["step"] == "lacks"]
    first = cursor.anchor + 1
    assert lacking == [
        ("changes: 3, the oldest from this time", True),
        (f"board b2: 2 ({first + 1} ... {first + 2})", False),
        (f"board b1: 1 ({first})", True),
    ]
    assert found[-2]["what"] == "by 5 clients of feed-1, according to their last confirmation"


async def test_why_a_cursor_cannot_be_resumed(db: Connection, plain: Any) -> None:
    cursor = await client_cursor(plain)
    await db.execute("UPDATE opportunities SET title = 'B'")
    assert (await resumes(db, cursor)).startswith("yes")
    assert (await resumes(db, "nonsense")).startswith("no, malformed: ")
    assert (await resumes(db, Cursor("other", cursor.seen, cursor.anchor, cursor.tag))).startswith(
        "no, foreign: since this time the feed has ID "
    )
    ahead = Cursor(cursor.feed, cursor.seen, cursor.anchor + 5, cursor.tag)
    assert f"the cursor covers change {ahead.anchor} " in await resumes(db, ahead)
    another = Cursor(cursor.feed, cursor.seen, cursor.anchor, "12345678")
    assert "is a different one in this log" in await resumes(db, another)
    await db.execute("SELECT feed.prune(now())")
    found = await rows(db, "SELECT step, what FROM feed.explain_cursor(%s)", (str(cursor),))
    assert [row["step"] for row in found][:2] == ["cursor", "has"]
    assert found[1]["what"].endswith("which has been pruned")
    assert (await resumes(db, cursor)).startswith("no, pruned: the log was pruned up to change ")


TEXTS = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"\A[0-9a-z]{1,4}\.\d{1,20}\.\d{1,20}\.(\d{1,3}(-\d{1,3}){0,3})?\.\d{1,20}\.[0-9a-f]{8}\Z"),
    st.builds(
        lambda feed, xmin, gaps, anchor, tag: str(
            Cursor(feed, Seen(xmin + sum(gaps) + 1, tuple(xmin + sum(gaps[:n]) for n in range(len(gaps)))), anchor, tag)
        ),
        st.sampled_from(["FEED", "other"]),
        st.integers(0, 2000),
        st.lists(st.integers(1, 5), max_size=140),
        st.integers(0, 12),
        st.sampled_from(["00000000", "12345678"]),
    ),
)


@pytest.mark.parametrize("pruned", [False, True])
async def test_the_database_and_the_feed_agree_on_cursor_faults(db: Connection, plain: Any, pruned: bool) -> None:
    """The same check exists in Python and in SQL."""
    good = await client_cursor(plain)
    await db.execute("UPDATE opportunities SET title = 'B'")
    if pruned:
        await db.execute("SELECT feed.prune(now())")
    texts = [str(good), str(await client_cursor(plain)), f"{good}\n", f"0{good}", "9" * 5000]
    collected: list[str] = []

    @given(TEXTS)
    @settings(max_examples=300, database=None)
    def collect(text: str) -> None:
        collected.append(text.replace("\x00", "").replace("FEED", good.feed))

    collect()
    found = set()
    for text in [*texts, *collected]:
        if not text.isprintable() and "\ud800" <= max(text, default="") <= "\udfff":
            continue
        try:
            cursor = Cursor.parse(text)
        except ValueError:
            fault = "malformed"
        else:
            fault = cursor.fault(await read_proof(plain, cursor.anchor)) or "none"
        fields = await value(db, "SELECT feed.cursor_fault(%s)", (text,)) or "none"
        assert (text, fields) == (text, fault)
        found.add(fields)
    assert {"malformed", "foreign", "future", "none", "pruned" if pruned else "diverged"} <= found
