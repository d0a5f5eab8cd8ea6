"""What became of a change, and what a cursor covers: in the database's own words."""

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
from tests.db.support import Connection, mark, rows, value
from tests.db.test_dba import here, word, write
from tests.support.database import Database


@pytest.fixture
async def plain(database: Database) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as conn:
        yield conn


async def explained(db: Connection, seq: int | None) -> list[dict[str, Any]]:
    return await rows(db, "SELECT * FROM feed.explain(%s::bigint)", (seq,))


async def cursor_of(plain: psycopg.AsyncConnection[Any]) -> Cursor:
    return Cursor.at((await read_proof(plain, 0)).feed_id, await read_position(plain))


def told(since: str, cursor: str, **others: Any) -> Delivery:
    said = {"events": 1, "reads": 1, "deliveries": 2, "clients": 3, "late": 0, "boards": {"b1": 2}}
    return Delivery(**{"read_at": 0.25, "delivered_at": 0.125, "since": since, "cursor": cursor, **said, **others})


async def test_what_the_log_knows(db: Connection, database: Database, plain: Any) -> None:
    early = await here(db)
    await write(database, "UPDATE opportunities SET phase = 'won'")
    seq = await mark(db)
    late = await here(db)
    await db.execute("UPDATE opportunities SET title = 'later'")
    await instances.report(plain, word(early, instance="feed-early"))
    await instances.report(plain, word(late, instance="feed-late", running=3000.0))
    await instances.report(plain, word(late, instance="feed-young", running=-1.0))
    steps = {row["step"]: row["what"] for row in await explained(db, seq)}
    assert steps["write"].endswith("of opportunities o1 by boardcast: phase: new -> won")
    assert steps["from"].startswith("psql, application psql, database user boardcast, address 127.0.0.1, pid ")
    assert steps["commit"].endswith(", change 1 of 1")
    assert steps["notify"] == "sent by the transaction, at commit"
    assert steps["since then"] == "later changes to the row: 1"
    of_instances = [row["what"] for row in await explained(db, seq) if row["step"] == "delivered"]
    assert of_instances[0].startswith("feed-early: not yet")
    assert of_instances[1].startswith("feed-late: by this time, to those of its 3 clients that see board b1")
    assert of_instances[2].startswith("feed-young: started later")


async def test_when_it_was_told_to_how_many_is_read_from_the_sweep_that_told_it(db: Connection, plain: Any) -> None:
    places = [await here(db)]
    for number in range(3):
        await db.execute("UPDATE opportunities SET title = %s", (f"T{number}",))
        places.append(await here(db))
    seq = await mark(db) - 1
    await value(db, "SELECT pg_sleep(0.3)")
    sweeps = [told(since, cursor, late=at) for at, (since, cursor) in enumerate(pairwise(places))]
    shown = [ClientPosition(places[1], 4, 0.1, 0.05), ClientPosition(places[2], 2, 0.2, 0.1)]
    await instances.report(plain, word(places[3], instance="feed-1", client_positions=shown), sweeps)
    folded = told(places[0], places[3], reads=3, events=3, boards=None)
    await instances.report(plain, word(places[3], instance="feed-2"), [folded])
    (kept,) = await rows(db, "SELECT read_at, delivered_at FROM feed.delivery_journal WHERE late = 1")
    found = await explained(db, seq)
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
    assert has_it["what"] == f"feed-1: by 2 of its clients, with a cursor that covers it: {places[2]} (2)"
    (behind,) = [row for row in found if row["step"] == "not confirmed"]
    assert behind["what"] == "feed-1: by 4 of its clients, whose last confirmed cursor does not cover it"


async def test_the_times_are_in_order_and_their_differences_are_those_told(db: Connection, plain: Any) -> None:
    before = await here(db)
    async with db.transaction():
        await db.execute("UPDATE opportunities SET title = 'first'")
        await value(db, "SELECT pg_sleep(0.02)")
        await db.execute("UPDATE opportunities SET title = 'second'")
        await value(db, "SELECT pg_sleep(0.02)")
    await value(db, "SELECT pg_sleep(0.3)")
    await instances.report(plain, word(await here(db)), [told(before, await here(db))])
    found = await explained(db, await mark(db))
    assert [row["step"] for row in found] == [
        "transaction", "write", "from", "commit", "notify", "read", "delivered", "since then"
    ]  # fmt: skip
    timed = [row for row in found if row["at"] is not None]
    times = [row["at"] for row in timed]
    assert times == sorted(times)
    write = next(row["at"] for row in found if row["step"] == "write")
    assert all(row["after"] == row["at"] - write for row in timed)
    by_step = {row["step"]: row["after"] for row in found}
    assert by_step["transaction"] <= timedelta(seconds=-0.02)
    assert by_step["commit"] >= timedelta(seconds=0.02)
    assert await value(db, "SHOW track_commit_timestamp") == "on"


async def test_a_sweep_of_an_instance_that_has_gone_is_told(db: Connection, plain: Any) -> None:
    before = await here(db)
    await db.execute("UPDATE opportunities SET title = 'B'")
    await instances.report(plain, word(await here(db)), [told(before, await here(db), read_at=0.0, delivered_at=0.0)])
    await instances.remove(plain, "feed-1")
    assert [row["what"][:8] for row in await explained(db, await mark(db)) if row["step"] == "delivered"] == [
        "feed-1: "
    ]


async def test_a_sweep_that_had_it_already_is_not_the_one_that_told_it(db: Connection, plain: Any) -> None:
    """As after a crash, which empties what was written down."""
    await db.execute("UPDATE opportunities SET title = 'B'")
    seq, since = await mark(db), await here(db)
    await db.execute("UPDATE opportunities SET title = 'C'")
    await instances.report(
        plain, word(await here(db), running=3000.0), [told(since, await here(db), read_at=0.0, delivered_at=0.0)]
    )
    (row,) = [row for row in await explained(db, seq) if row["step"] == "delivered"]
    assert row["what"].startswith("feed-1: by this time, ")


async def test_rows_of_no_board_and_of_all(db: Connection, plain: Any) -> None:
    before = await here(db)
    await db.execute("CREATE TABLE tasks (id int PRIMARY KEY)")
    await db.execute("SELECT feed.attach('tasks')")
    await db.execute("INSERT INTO tasks VALUES (1)")
    task = await mark(db)
    await db.execute("TRUNCATE tasks")
    row = told(before, await here(db), read_at=0.0, delivered_at=0.0)
    await instances.report(plain, word(await here(db)), [row])
    (of_none,) = [row for row in await explained(db, task) if row["step"] == "delivered"]
    (of_all,) = [row for row in await explained(db, task + 1) if row["step"] == "delivered"]
    assert of_none["what"] == "feed-1: to nobody: the change belongs to no board"
    assert of_all["what"] == "feed-1: to all of its 3 clients"


async def test_why_a_change_is_not_there(db: Connection, database: Database) -> None:
    first = await mark(db)
    with pytest.raises(psycopg.errors.RaiseException):
        await db.execute("DO $$ BEGIN UPDATE opportunities SET phase = 'x'; RAISE EXCEPTION 'no'; END $$")
    await db.execute("UPDATE opportunities SET phase = 'y'")

    async def why(seq: int | None) -> str:
        (row,) = await explained(db, seq)
        assert row["step"] == "not found"
        return str(row["what"])

    assert await why(first + 1) == "its transaction was rolled back: sequence numbers are not reused"
    assert await why(first + 3) == f"not written yet, or not committed: the newest is {first + 2}"
    assert await why(0) == await why(None) == "no change has this sequence number"
    async with await database.connect() as other, other.transaction(force_rollback=True):
        await other.execute("UPDATE opportunities SET phase = 'z'")
        await db.execute("INSERT INTO boards (id, name, phases) VALUES ('b3', 'Three', '[]')")
        assert (await why(first + 3)).endswith("or is not committed yet: some transactions are in progress")
    await db.execute("SELECT feed.prune(now())")
    assert (await why(first)).startswith("pruned, together with all changes up to ")


async def resumes(db: Connection, cursor: object) -> str:
    found = await rows(db, "SELECT * FROM feed.explain_cursor(%s)", (str(cursor),))
    (row,) = [row for row in found if row["step"] == "resumes"]
    return str(row["what"])


async def test_what_the_holder_of_a_cursor_has_and_has_not(db: Connection, plain: Any) -> None:
    cursor = await cursor_of(plain)
    found = await rows(db, "SELECT * FROM feed.explain_cursor(%s)", (str(cursor),))
    assert [row["step"] for row in found] == ["cursor", "has", "lacks", "resumes"]
    assert found[1]["what"] == f"change {cursor.anchor} as the newest: insert of opportunities o1 by boardcast"
    assert (found[2]["what"], found[2]["at"]) == ("nothing: it is up to date", None)
    assert found[3]["what"].startswith("yes: ")
    await db.execute("UPDATE opportunities SET title = 'B'")
    await db.execute("INSERT INTO opportunities (id, board_id) VALUES ('o2', 'b2'), ('o3', 'b2')")
    await instances.report(plain, word(str(cursor), client_positions=[ClientPosition(str(cursor), 5, 0.2, 0.1)]))
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


async def test_why_a_cursor_cannot_be_resumed_from(db: Connection, plain: Any) -> None:
    cursor = await cursor_of(plain)
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
async def test_the_database_and_the_feed_find_the_same_fault(db: Connection, plain: Any, pruned: bool) -> None:
    """One check in two languages: in the feed it is part of a read, here it is a question of its own."""
    good = await cursor_of(plain)
    await db.execute("UPDATE opportunities SET title = 'B'")
    if pruned:
        await db.execute("SELECT feed.prune(now())")
    texts = [str(good), str(await cursor_of(plain)), f"{good}\n", f"0{good}", "9" * 5000]
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
        said = await value(db, "SELECT feed.cursor_fault(%s)", (text,)) or "none"
        assert (text, said) == (text, fault)
        found.add(said)
    assert {"malformed", "foreign", "future", "none", "pruned" if pruned else "diverged"} <= found
