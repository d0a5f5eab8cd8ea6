"""A cursor that cannot be resumed from is answered by a reset that says why, and the stream goes on live."""

from collections.abc import Awaitable, Callable

import pytest

from feed.wire.cursor import Cursor
from tests.support.database import Database
from tests.support.services import Services
from tests.support.streams import Client
from tests.support.until import until

Spoil = Callable[[Database, str], Awaitable[str]]


async def _malformed(_: Database, cursor: str) -> str:
    return cursor + "0"


async def _foreign(database: Database, cursor: str) -> str:
    await database.execute("SELECT feed.reset_feed('a test')")
    return cursor


async def _future(_: Database, cursor: str) -> str:
    feed, _xmin, xmax, _xip, anchor, tag = cursor.split(".")
    return f"{feed}.{int(xmax) + 1_000_000}.{int(xmax) + 1_000_000}..{anchor}.{tag}"


async def _future_anchor(_: Database, cursor: str) -> str:
    feed, xmin, xmax, xip, anchor, tag = cursor.split(".")
    return f"{feed}.{xmin}.{xmax}.{xip}.{int(anchor) + 1_000_000}.{tag}"


async def _pruned(database: Database, cursor: str) -> str:
    for _ in range(3):
        await database.execute("UPDATE opportunities SET notes = coalesce(notes, '') || 'x' WHERE id = 'o1'")
    await database.execute("SELECT feed.prune(now() + interval '1 second')")
    return cursor


async def _diverged(_: Database, cursor: str) -> str:
    start, tag = cursor.rsplit(".", 1)
    return f"{start}.{'0' * 8 if tag != '0' * 8 else '1' * 8}"


async def _gone(database: Database, cursor: str) -> str:
    await database.execute("DELETE FROM feed.log WHERE seq = %s", [Cursor.parse(cursor).anchor])
    await database.execute("UPDATE opportunities SET notes = 'later' WHERE id = 'o1'")
    return cursor


SPOILT = [
    ("malformed", _malformed),
    ("foreign", _foreign),
    ("future", _future),
    ("future", _future_anchor),
    ("pruned", _pruned),
    ("diverged", _diverged),
    ("diverged", _gone),
]


async def _is_live(client: Client, database: Database) -> None:
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('mark', 'b1')")
    assert (await client.next_event()).body["opportunityId"] == "mark"


@pytest.mark.parametrize(("reason", "spoil"), SPOILT, ids=[spoil.__name__[1:] for _, spoil in SPOILT])
async def test_each_reason_is_told(
    services: Services, database: Database, transport: str, reason: str, spoil: Spoil
) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE opportunities SET notes = 'x' WHERE id = 'o1'")
    await client.next_event()
    assert client.cursor is not None
    cursor = await spoil(database, client.cursor)
    await services.stop()  # one that has no memory of the cursor: that would be as good as the log
    again = await services.open(transport, cursor, greeted=False)
    hello = await again.next()
    assert (hello.type, hello.body["resume"]) == ("auth_success", "reset")
    reset = await again.next()
    assert (reset.type, reset.body["reason"]) == ("reset", reason)
    assert reset.cursor == reset.body["cursor"]
    await _is_live(again, database)
    resumed = await services.open(transport, reset.cursor, greeted=False)
    assert (await resumed.next()).body["resume"] == "resumed"
    assert (await resumed.next_event()).body["opportunityId"] == "mark"


NO_CURSORS = ["x", "0", "null", "-1", "..", "." * 5, "a" * 5000, "%00", "é", "1.1.1.1.1.1", "' OR 1=1 --"]


@pytest.mark.parametrize("text", NO_CURSORS, ids=range(len(NO_CURSORS)))
async def test_no_text_is_answered_by_an_error(
    services: Services, database: Database, transport: str, text: str
) -> None:
    if transport in {"sse", "api-events"} and not text.isascii():
        text = "%C3%A9"
    client = await services.open(transport, text)
    assert (await client.next()).body["reason"] == "malformed"
    await _is_live(client, database)


async def test_the_feed_reset_by_hand_reaches_who_is_connected(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("SELECT feed.reset_feed('a test')")
    reset = await client.next("reset", timeout=3)
    assert reset.body["reason"] == "foreign"
    await _is_live(client, database)


@pytest.mark.parametrize("woken", [True, False])
async def test_a_cursor_of_the_new_feed_is_never_answered_by_one_of_the_previous(
    services: Services, database: Database, transport: str, *, woken: bool
) -> None:
    """The API gives the new one at once; a feed that was not woken learns of it from the client that has it."""
    await services.open(transport)
    hub = await services.hub(transport)
    if not woken:
        await database.execute(
            "CREATE OR REPLACE FUNCTION feed.reset_feed(why text DEFAULT 'by hand') RETURNS text LANGUAGE sql"
            " AS 'UPDATE feed.identity SET feed_id = feed.new_id() RETURNING feed_id'"
        )
    await database.execute("SELECT feed.reset_feed()")
    async with services.asking() as http:
        snapshot = (await http.get("/api/boards/b1", headers={"Cache-Control": "no-cache"})).json()
    client = await services.open(transport, snapshot["cursor"], greeted=False)
    assert (await client.next("auth_success")).body["resume"] == "resumed"
    assert client.cursor == snapshot["cursor"]
    await database.execute("UPDATE opportunities SET title = 'x'")
    assert (await client.next_event()).body["version"] == 2
    await until(lambda: client.cursor == str(hub.tailer.head))
    assert "reset" not in [m.type for m in client.messages]
    assert {m.cursor.split(".")[0] for m in client.messages if m.cursor} == {snapshot["cursor"].split(".")[0]}
