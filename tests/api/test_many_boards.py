"""Opening hundreds of boards at once right after a restart takes a handful of queries."""

import asyncio
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from api.app import create_app
from api.state import app_state
from db.engine import create_engine
from feed.access.tokens import Tokens
from feed.runtime import Runtime
from tests.api.harness import SECRET
from tests.conftest import SERVER_SETTINGS
from tests.support.clusters import RunServer
from tests.support.database import Database

MANY = 300


@pytest.fixture
def many_boards(run_server: RunServer) -> Iterator[Database]:
    """A database with pg_stat_statements and many boards, each with a member and ten cards."""
    settings = SERVER_SETTINGS | {"shared_preload_libraries": "pg_stat_statements"}
    with run_server(settings) as server:
        with psycopg.connect(server.url(), autocommit=True) as conn:
            conn.execute("CREATE EXTENSION pg_stat_statements")
            conn.execute(f"CREATE ROLE api LOGIN SUPERUSER PASSWORD '{SECRET}'")
            conn.execute(
                "INSERT INTO users (id, name) SELECT 'u' || n, 'User' FROM generate_series(1, %s) AS n", [MANY]
            )
            conn.execute(
                "INSERT INTO feed.boards (id, name, phases) SELECT 'b' || n, 'Board', '[]' FROM generate_series(1, %s) AS n",
                [MANY],
            )
            conn.execute(
                "INSERT INTO feed.board_members SELECT 'b' || n, 'u' || n, 'editor' FROM generate_series(1, %s) AS n",
                [MANY],
            )
            conn.execute(
                "INSERT INTO opportunities (board_id, title, phase) "
                "SELECT 'b' || n, 'Deal ' || k, 'new' FROM generate_series(1, %s) AS n, generate_series(1, 10) AS k",
                [MANY],
            )
        yield Database(server.url(), "boardcast")


async def statements(database: Database) -> list[tuple[int, str]]:
    rows = await database.execute(
        "SELECT calls, query FROM pg_stat_statements WHERE userid = 'api'::regrole "
        "AND query NOT LIKE 'BEGIN%%' AND query NOT IN ('COMMIT', 'ROLLBACK') AND query NOT LIKE 'SET %%'"
        " AND query NOT LIKE '%%pg_catalog.version%%' AND query NOT LIKE 'show %%' ORDER BY calls DESC"
    )
    return [(row["calls"], " ".join(row["query"].split())[:80]) for row in rows]


async def test_opening_many_boards_takes_a_handful_of_queries(many_boards: Database) -> None:
    settings = many_boards.settings(jwt_secret=SECRET)
    tokens = Tokens(settings)
    url = psycopg.conninfo.make_conninfo(many_boards.url, user="api", password=SECRET)
    engine, runtime = create_engine(url), Runtime(settings, tokens, "api")
    await runtime.start()
    app = create_app(settings, engine=engine, tokens=tokens, runtime=runtime)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x", timeout=60) as client:

            async def open_board(number: int) -> float:
                headers = {"Authorization": f"Bearer {tokens.issue(f'u{number}', 'User', 600)}"}
                begun = time.perf_counter()
                answer = await client.get("/api/start", headers=headers)
                snapshot = answer.json()["snapshot"]
                assert (snapshot["board"]["id"], len(snapshot["opportunities"])) == (f"b{number}", 10)
                return time.perf_counter() - begun

            await many_boards.execute("SELECT pg_stat_statements_reset()")
            await asyncio.gather(*map(open_board, range(1, MANY + 1)))
            cold = await statements(many_boards)
            assert sum(calls for calls, _ in cold) <= 20, cold
            await many_boards.execute("SELECT pg_stat_statements_reset()")
            await asyncio.gather(*map(open_board, range(1, MANY + 1)))
            warm = await statements(many_boards)
            assert not [query for _, query in warm if "Boards whole" in query or "to_jsonb" in query], warm
            assert sum(calls for calls, _ in warm) <= 10, warm
    finally:
        await app_state(app).stop()
        await runtime.stop()
        await engine.dispose()
