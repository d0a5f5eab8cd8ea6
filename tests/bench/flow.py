"""How long the flow of a board takes with 1,000,000 rows in the log, all of one board: `python -m tests.bench.flow`.

A fifth of the rows change the stage of a card, which is far more than on a real board. First the log is read from its
beginning, as after an installation; then the first flow is read on a new connection, and again. At the end, fresh rows are
read as they are every second. Check: the flow counts each card that is on the board.
"""

import json
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import uvloop
from rich.console import Console

from db.changelog import flow
from db.changelog.stages import read_stage_changes
from db.connection import PsycopgConnection
from db.engine import create_engine
from tests.bench.stage import CARDS, Stage, stage

ROWS = 1_000_000
PER_CARD = 20
PER_TRANSACTION = 1000
"""Cards whose rows one transaction writes."""
RUNS = 10
NOW = datetime(2027, 1, 1, tzinfo=UTC)
PHASES = ("lead", "contact", "offer", "talks", "won")
# Each card is created, and then changed 19 times in ten days; each fourth row moves it to the next phase.
_FILL = """
    INSERT INTO feed.log (at, relation, op, key, board, old, new, version, actor, db_user, pid)
    SELECT timestamptz '2027-01-01 00:00Z' - interval '100 days' + interval '90 days' * (n.card::float8 / %(cards)s)
               + interval '12 hours' * n.step,
           'opportunities', CASE n.step WHEN 0 THEN 'insert' ELSE 'update' END, 'c' || n.card, 'f',
           CASE WHEN n.step > 0 THEN row || jsonb_build_object('phase', (%(phases)s::text[])[1 + (n.step - 1) / 4]) END,
           row || jsonb_build_object('phase', (%(phases)s::text[])[1 + n.step / 4]), n.step + 1, 'ana', 'app', 1
    FROM (SELECT card, step FROM generate_series(%(first)s::int, %(last)s::int) AS card
          CROSS JOIN generate_series(0, %(steps)s::int) AS step ORDER BY step, card) AS n
    CROSS JOIN LATERAL (SELECT jsonb_build_object('id', 'c' || n.card, 'board_id', 'f', 'title', 'A deal of some size',
        'company', 'A company', 'contact', 'Somebody', 'value', 1234.56, 'currency', 'BRL', 'version_number', n.step,
        'notes', repeat('What was said. ', 10)) AS row) AS r
"""


async def main(on: Stage) -> None:
    show = Console(highlight=False).print
    cards = ROWS // PER_CARD
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as conn:
        phases = [{"id": phase, "name": phase, "kind": "won" if phase == "won" else "open"} for phase in PHASES]
        await conn.execute("INSERT INTO feed.boards (id, name, phases) VALUES ('f', 'F', %s)", (json.dumps(phases),))
        await _fill(conn, cards)
        await conn.execute("VACUUM ANALYZE feed.log")
        calls = await _read_all(conn)
        show(f"{ROWS:,} rows of the log read in {sum(calls):.1f} s, {len(calls)} calls of at most {max(calls):.2f} s")
        size = await _one(conn, "SELECT pg_total_relation_size('feed.stage_changes')")
        log = await _one(
            conn, "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'feed.log'::regclass"
        )
        changes = await _one(conn, "SELECT count(*) FROM feed.stage_changes WHERE board_id = 'f'")
        show(f"{changes:,} changes of stages in {size / 2**20:.0f} MiB, from a log of {log / 2**20:,.0f} MiB")
    flows, lists = await _read_flow(on, cards)
    show(f"the first flow after {flows[0]:.3f} s, later ones after {statistics.median(flows[1:]):.3f} s")
    show(
        f"the cards behind a bar: the first ones after {lists[0]:.3f} s, later ones after {statistics.median(lists):.3f} s"
    )
    async with await psycopg.AsyncConnection.connect(on.url, autocommit=True) as conn:
        fresh = []
        for turn in range(RUNS):
            await conn.execute("UPDATE opportunities SET phase = %s", (PHASES[turn % 2],))
            fresh.append(sum(await _read_all(conn)))
        show(f"{CARDS:,} fresh rows, all of them moves: {statistics.median(fresh) * 1000:.0f} ms")


async def _read_all(conn: PsycopgConnection) -> list[float]:
    """Read the log to its end. Returns the duration of each call, in seconds."""
    calls = []
    more = True
    while more:
        begin = time.monotonic()
        more = await read_stage_changes(conn)
        calls.append(time.monotonic() - begin)
    return calls


async def _read_flow(on: Stage, cards: int) -> tuple[list[float], list[float]]:
    """Returns how long the flow took, and the cards of a bar, each time, in seconds."""
    flows, lists = [], []
    engine = create_engine(on.url, size=1)
    period = flow.Period(NOW - timedelta(days=90), NOW, NOW)
    bar: dict[str, Any] = {"chart": "time", "phase": "offer", "next_phase": None, "bucket": None, "limit": 200}
    for _ in range(RUNS):
        async with engine.connect() as conn:
            begin = time.monotonic()
            await flow.catch_up(conn)
            found = json.loads(await flow.read(conn, "f", period))
            flows.append(time.monotonic() - begin)
            begin = time.monotonic()
            await flow.cards(conn, "f", period, **bar)
            lists.append(time.monotonic() - begin)
        if sum(each["present"] for each in found["stages"]) != cards:
            raise RuntimeError(f"{cards} cards are on the board, and the flow has {found['stages']}")
    await engine.dispose()
    return flows, lists


async def _fill(conn: PsycopgConnection, cards: int) -> None:
    for first in range(1, cards + 1, PER_TRANSACTION):
        span = {"first": first, "last": first + PER_TRANSACTION - 1}
        await conn.execute(_FILL, {**span, "cards": cards, "steps": PER_CARD - 1, "phases": list(PHASES)})


async def _one(conn: PsycopgConnection, query: LiteralString) -> int:
    ((value,),) = await (await conn.execute(query)).fetchall()
    return int(value)


if __name__ == "__main__":
    with stage() as on:
        uvloop.run(main(on))
