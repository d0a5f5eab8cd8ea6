"""A cursor that cannot be resumed from is answered with a reset and its reason, and the stream continues live."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from feed.wire.cursor import Cursor
from tests.support.database import Database
from tests.support.services import Serve, Services
from tests.support.streams import Client
from tests.support.until import until

Invalidate = Callable[[Database, str], Awaitable[str]]


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


async def _missing_anchor(database: Database, cursor: str) -> str:
    await database.execute("DELETE FROM feed.log WHERE seq = %s", [Cursor.parse(cursor).anchor])
    await database.execute("UPDATE opportunities SET notes = 'later' WHERE id = 'o1'")
    return cursor


INVALIDATED = [
    ("malformed", _malformed),
    ("foreign", _foreign),
    ("future", _future),
    ("future", _future_anchor),
    ("pruned", _pruned),
    ("diverged", _diverged),
    ("diverged", _missing_anchor),
]


async def _is_live(client: Client, database: Database) -> None:
    await database.execute("INSERT INTO opportunities (id, board_id) VALUES ('mark', 'b1')")
    assert (await client.next_event()).body["opportunityId"] == "mark"


@pytest.mark.parametrize(
    ("reason", "invalidate"), INVALIDATED, ids=[invalidate.__name__[1:] for _, invalidate in INVALIDATED]
)
async def test_each_invalid_cursor_is_reset_with_its_reason(
    services: Services, database: Database, transport: str, reason: str, invalidate: Invalidate
) -> None:
    client = await services.open(transport)
    await database.execute("UPDATE opportunities SET notes = 'x' WHERE id = 'o1'")
    await client.next_event()
    assert client.cursor is not None
    cursor = await invalidate(database, client.cursor)
    await services.stop()  # a replay buffer that holds the cursor would accept it without the log
    again = await services.open(transport, cursor, wait_for_auth=False)
    hello = await again.next()
    assert (hello.type, hello.body["resume"]) == ("auth_success", "reset")
    reset = await again.next()
    assert (reset.type, reset.body["reason"]) == ("reset", reason)
    assert reset.cursor == reset.body["cursor"]
    await _is_live(again, database)
    resumed = await services.open(transport, reset.cursor, wait_for_auth=False)
    assert (await resumed.next()).body["resume"] == "resumed"
    assert (await resumed.next_event()).body["opportunityId"] == "mark"


@pytest.mark.parametrize("anchored", [True, False])
async def test_a_cursor_that_is_too_far_back_is_reset(serve: Serve, database: Database, *, anchored: bool) -> None:
    services = await serve(max_resume_rows=10)
    client = await services.open("websocket")
    assert client.cursor is not None
    feed, xmin, xmax, *_ = client.cursor.split(".")
    cursor = client.cursor if anchored else f"{feed}.{xmin}.{xmax}..0.00000000"
    for size in (9, 3):
        await services.stop()
        await database.execute(
            "INSERT INTO opportunities (id, board_id) SELECT gen_random_uuid()::text, 'b1' FROM generate_series(1, %s)",
            [size],
        )
        again = await services.open("websocket", cursor, wait_for_auth=False)
        assert (await again.next()).body["resume"] == ("resumed" if size == 9 else "reset")
        await again.close()
    assert (await again.next()).body["reason"] == "too_far"
    bearer = {"Authorization": f"Bearer {services.token('ana')}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{await services.api()}", headers=bearer) as polling:
        answer = await polling.get("/api/sync/opportunities", params={"since": cursor})
    assert (answer.status_code, answer.json()["reason"]) == (410, "too_far")


MALFORMED_CURSORS = ["x", "0", "null", "-1", "..", "." * 5, "a" * 5000, "%00", "é", "1.1.1.1.1.1", "' OR 1=1 --"]


@pytest.mark.parametrize("text", MALFORMED_CURSORS, ids=range(len(MALFORMED_CURSORS)))
async def test_a_malformed_cursor_is_a_reset_not_an_error(
    services: Services, database: Database, transport: str, text: str
) -> None:
    if transport in {"sse", "api-events"} and not text.isascii():
        text = "%C3%A9"
    client = await services.open(transport, text)
    assert (await client.next()).body["reason"] == "malformed"
    await _is_live(client, database)


async def test_connected_clients_get_a_manual_feed_reset(
    services: Services, database: Database, transport: str
) -> None:
    client = await services.open(transport)
    await database.execute("SELECT feed.reset_feed('a test')")
    reset = await client.next("reset", timeout=3)
    assert reset.body["reason"] == "foreign"
    await _is_live(client, database)


@pytest.mark.parametrize("notified", [True, False])
async def test_a_cursor_of_the_new_feed_is_never_answered_with_one_of_the_old_feed(
    services: Services, database: Database, transport: str, *, notified: bool
) -> None:
    """The API returns the new feed at once; an instance that was not notified learns of it from the client's cursor."""
    await services.open(transport)
    runtime = await services.runtime(transport)
    if not notified:
        await database.execute(
            "CREATE OR REPLACE FUNCTION feed.reset_feed(why text DEFAULT 'by hand') RETURNS text LANGUAGE sql"
            " AS 'UPDATE feed.identity SET feed_id = feed.new_id() RETURNING feed_id'"
        )
    await database.execute("SELECT feed.reset_feed()")
    async with services.api_client() as http:
        snapshot = (await http.get("/api/boards/b1", headers={"Cache-Control": "no-cache"})).json()
    client = await services.open(transport, snapshot["cursor"], wait_for_auth=False)
    assert (await client.next("auth_success")).body["resume"] == "resumed"
    assert client.cursor == snapshot["cursor"]
    await database.execute("UPDATE opportunities SET title = 'x'")
    assert (await client.next_event()).body["version"] == 2
    await until(lambda: client.cursor == str(runtime.tailer.head))
    assert "reset" not in [m.type for m in client.messages]
    assert {m.cursor.split(".")[0] for m in client.messages if m.cursor} == {snapshot["cursor"].split(".")[0]}
