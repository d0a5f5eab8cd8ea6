"""pg-sse as its README shows it, with Starlette: `python -m tests.bench.peers.pgsse PORT URL SCHEMA`.

Async reads on a connection pool, as it recommends; uvicorn with uvloop and httptools; `order_column`, without which a reader can
skip the row that commits late. Two things differ: the limit of 500 streams per process is raised to the number that is
measured, and reads have no LIMIT 500, with which a stream that is further behind waits for the next write or a minute.
"""

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import psycopg
import uvicorn
from pg_sse import Event, Hub, IntCursor, trigger_sql
from psycopg import sql
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

STREAMS = 2000
CHANNEL = "board_change"
_READ = sql.SQL("SELECT id, body FROM {} WHERE board_id = %s AND id > %s ORDER BY id")
_LATEST = sql.SQL("SELECT coalesce(max(id), 0) FROM {} WHERE board_id = %s")


def make_app(url: str, schema: str) -> Starlette:
    changes = sql.Identifier(schema, "changes")
    pool = AsyncConnectionPool(url, min_size=4, max_size=10, timeout=120, open=False, kwargs={"autocommit": True})
    hub = Hub(url, channel=CHANNEL, max_subscribers=STREAMS)
    cursors = IntCursor()

    async def read_after(board: str, after: int) -> list[Event]:
        async with pool.connection() as conn:
            found = await conn.execute(_READ.format(changes), (board, after), prepare=True)
            return [Event(body, id=number) for number, body in await found.fetchall()]

    async def latest_id(board: str) -> int:
        async with pool.connection() as conn:
            found = await (await conn.execute(_LATEST.format(changes), (board,), prepare=True)).fetchone()
            return int(found[0]) if found else 0

    async def stream(request: Request) -> Response:
        board = request.path_params["board"]
        cursor = cursors.parse_one(request.headers.get("last-event-id"))
        response: Response = hub.sse(
            board, read=partial(read_after, board), cursor=cursor, start=partial(latest_id, board)
        )
        return response

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool, hub.lifespan():
            yield

    return Starlette(routes=[Route("/boards/{board}/stream", stream)], lifespan=lifespan)


def main() -> None:
    port, url, schema = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(trigger_sql(f"{schema}.changes", "board_id", CHANNEL, order_column="id", on=("insert",)))
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # clients that disconnect cancel their reads
    uvicorn.run(
        make_app(url, schema),
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        backlog=4096,
    )


if __name__ == "__main__":
    main()
