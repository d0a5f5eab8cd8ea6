"""For any writes, any commit order and any disconnects, a client ends with the contents of the tables.

BOARDCAST_TEST_EXAMPLES sets how many programs are tried (6 otherwise).
"""

import asyncio
import os
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db.embedded.server import EmbeddedPostgres
from tests.property.mirror import BOARDS, Card, Mirror
from tests.property.writers import Step, Writer
from tests.support.database import Database, cloned
from tests.support.load import DISABLE_NOTIFY
from tests.support.services import Services, add_people, serving
from tests.support.streams import TRANSPORTS
from tests.support.until import until

EXAMPLES = int(os.environ.get("BOARDCAST_TEST_EXAMPLES", "6"))
WRITERS = 3
CARDS = ("o1", "c1", "c2", "c3")

_card = st.sampled_from(CARDS)
_board = st.sampled_from(BOARDS)
_transactions = st.sampled_from(["begin"] * 4 + ["commit"] * 3 + ["rollback", "savepoint", "rollback to", "take xid"])
_ops = st.one_of(
    *[_transactions.map(lambda op: (op, "", ""))] * 4,
    st.tuples(st.just("insert"), _card, _board),
    *[st.tuples(st.just("edit"), st.sampled_from(CARDS[:2]), st.sampled_from("abc"))] * 3,
    st.tuples(st.just("move"), _card, st.sampled_from(["new", "won", "lost"])),
    st.tuples(st.sampled_from(["nothing", "delete"]), _card, st.just("")),
    st.tuples(st.just("change board"), _card, _board),
    st.tuples(st.just("edit all"), st.just(""), st.sampled_from("xyz")),
)
_writes = st.tuples(st.integers(0, WRITERS - 1), _ops).map(lambda drawn: Step(drawn[0], *drawn[1]))
_reads = st.one_of(
    *[st.just(("read pass",))] * 3,
    st.tuples(st.just("connect"), st.sampled_from(TRANSPORTS)),
    st.tuples(st.sampled_from(["pause", "resume", "apply", "restart"])),
)
_programs = st.lists(st.one_of(_writes, _writes, _writes, _reads), min_size=20, max_size=80)

# Cases that simpler ways of reading a log lose or reorder; run every time, in addition to the generated programs.
COMMITTED_LATER = [
    *(Step(0, "begin"), Step(0, "insert", "c1", "b1")),
    *(Step(1, "edit", "o1", "a"), ("read pass",), Step(0, "commit"), ("read pass",)),
]
SAME_ROW_CROSSED = [
    *(Step(0, "begin"), Step(0, "insert", "c1", "b1"), Step(1, "edit", "o1", "a")),
    *(Step(0, "edit", "o1", "b"), Step(0, "commit"), ("read pass",)),
]


async def _table(database: Database) -> dict[tuple[str, str], Card]:
    rows = await database.execute("SELECT board_id, id, to_jsonb(o) AS card FROM opportunities AS o")
    return {(row["board_id"], row["id"]): row["card"] for row in rows}


def _comparable(cards: dict[tuple[str, str], Card]) -> dict[tuple[str, str], Any]:
    timestamps = ("created_at", "last_sync_at")  # equal, but written in the time zone of each session
    return {key: {name: value for name, value in card.items() if name not in timestamps} for key, card in cards.items()}


async def _run(program: list[Any], database: Database, first: str, chunk: int, threshold: int, *, notify: bool) -> None:
    await add_people(database)
    if not notify:
        await database.execute(DISABLE_NOTIFY)
    intervals = {"read_interval": 0.1, "heartbeat_interval": 0.2, "checkpoint_interval": 0.001}
    # A client that asks for it is sent the newest states after a few changes already.
    with patch("feed.recovery.tasks._MUCH", 2):
        await _converge(program, database, first, {"chunk_rows": chunk, "resync_threshold": threshold, **intervals})


async def _converge(program: list[Any], database: Database, first: str, options: dict[str, Any]) -> None:
    async with serving(database, **options) as services:
        mirror = Mirror(services)
        await mirror.start(first)
        writers = [await Writer.connect(database) for _ in range(WRITERS)]
        try:
            for step in program:
                if isinstance(step, Step):
                    await writers[step.writer].start(step)
                else:
                    first = await _apply_client_step(step, mirror, services, first)
            mirror.resume()
            await asyncio.gather(*(writer.finish() for writer in writers))  # a writer may wait for another's commit
        finally:
            for writer in writers:
                await writer.close()
        expected = _comparable(await _table(database))

        async def converged() -> bool:
            await mirror.apply_received()
            return _comparable(mirror.cards) == expected

        await until(converged, timeout=5, what=f"{mirror.cards} to become {expected}")
        _check_history(mirror)
        assert await database.execute("SELECT * FROM feed.gaps") == []


async def _apply_client_step(step: tuple[str, ...], mirror: Mirror, services: Services, transport: str) -> str:
    """Apply a step of the client, and return the transport that it uses afterwards."""
    match step:
        case ("connect", other):
            await mirror.connect(other)
            return other
        case ("pause",):
            mirror.pause()
        case ("resume",):
            mirror.resume()
        case ("apply",):
            await mirror.apply_received()
        case ("read pass",):
            await (await services.runtime(transport)).tailer.wait_for_pass()
        case ("restart",):
            await services.stop()
            await mirror.connect(transport)
    return transport


def _check_history(mirror: Mirror) -> None:
    seqs = [seq for seq, *_ in mirror.history]
    assert len(seqs) == len(set(seqs))
    last: dict[tuple[str, str], tuple[int, int]] = {}
    for seq, board, card, version in mirror.history:
        before = last.get((board, card))
        if before is not None:
            assert seq > before[0], f"{card} on {board}: {seq} after {before[0]}"
            # A deletion has the version that it deleted; a recreated card starts at version one.
            assert version >= before[1] or version == 1
        last[board, card] = seq, version


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    program=_programs,
    first=st.sampled_from(TRANSPORTS),
    chunk=st.sampled_from([1, 2, 3, 1000]),
    threshold=st.sampled_from([3, 1000, 1000]),
    notify=st.booleans(),
)
@example(program=COMMITTED_LATER, first="websocket", chunk=1000, threshold=1000, notify=True)
@example(program=SAME_ROW_CROSSED, first="websocket", chunk=1000, threshold=1000, notify=False)
async def test_a_client_converges_to_the_tables(
    server: EmbeddedPostgres, template: str, program: list[Any], first: str, chunk: int, threshold: int, notify: bool
) -> None:
    with cloned(server, template) as database:
        await _run(program, database, first, chunk, threshold, notify=notify)
