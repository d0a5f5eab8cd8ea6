"""Whatever is written, in whatever order it commits, and however a client comes and goes: it ends with what the tables hold.

BOARDCAST_TEST_EXAMPLES sets how many programs are tried (25 otherwise).
"""

import asyncio
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db.embedded.server import EmbeddedPostgres
from tests.property.mirror import BOARDS, Card, Mirror
from tests.property.writers import Step, Writer
from tests.support.database import Database, cloned
from tests.support.load import NO_BELL
from tests.support.services import Services, people, serving
from tests.support.streams import TRANSPORTS
from tests.support.until import until

pytestmark = pytest.mark.flaky(reruns=0)

EXAMPLES = int(os.environ.get("BOARDCAST_TEST_EXAMPLES", "25"))
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
    *[st.just(("sweep",))] * 3,
    st.tuples(st.just("connect"), st.sampled_from(TRANSPORTS)),
    st.tuples(st.sampled_from(["pause", "resume", "take", "restart"])),
)
_programs = st.lists(st.one_of(_writes, _writes, _writes, _reads), min_size=20, max_size=80)

# What every other way of reading a log loses, or turns around; tried each time, whatever else is found.
COMMITTED_LATER = [
    *(Step(0, "begin"), Step(0, "insert", "c1", "b1")),
    *(Step(1, "edit", "o1", "a"), ("sweep",), Step(0, "commit"), ("sweep",)),
]
SAME_ROW_CROSSED = [
    *(Step(0, "begin"), Step(0, "insert", "c1", "b1"), Step(1, "edit", "o1", "a")),
    *(Step(0, "edit", "o1", "b"), Step(0, "commit"), ("sweep",)),
]


async def _table(database: Database) -> dict[tuple[str, str], Card]:
    rows = await database.execute("SELECT board_id, id, to_jsonb(o) AS card FROM opportunities AS o")
    return {(row["board_id"], row["id"]): row["card"] for row in rows}


def _comparable(cards: dict[tuple[str, str], Card]) -> dict[tuple[str, str], Any]:
    moments = ("created_at", "last_sync_at")  # the same, but for how the time zone of each session writes it
    return {key: {name: value for name, value in card.items() if name not in moments} for key, card in cards.items()}


async def _run(program: list[Any], database: Database, first: str, chunk: int, threshold: int, *, bell: bool) -> None:
    await people(database)
    if not bell:
        await database.execute(NO_BELL)
    quick = {"read_interval": 0.1, "heartbeat_interval": 0.2, "checkpoint_interval": 0.001}
    async with serving(database, chunk_rows=chunk, resync_threshold=threshold, **quick) as services:
        mirror = Mirror(services)
        await mirror.start(first)
        writers = [await Writer.connect(database) for _ in range(WRITERS)]
        try:
            for step in program:
                if isinstance(step, Step):
                    await writers[step.writer].take(step)
                else:
                    first = await _client_does(step, mirror, services, first)
            mirror.resume()
            await asyncio.gather(*(writer.finish() for writer in writers))  # one may wait for another's commit
        finally:
            for writer in writers:
                await writer.close()
        truth = _comparable(await _table(database))

        async def converged() -> bool:
            await mirror.take()
            return _comparable(mirror.cards) == truth

        await until(converged, timeout=5, what=f"{mirror.cards} to become {truth}")
        _check_history(mirror)
        assert await database.execute("SELECT * FROM feed.gaps") == []


async def _client_does(step: tuple[str, ...], mirror: Mirror, services: Services, transport: str) -> str:
    """One step on the reading side; the transport that the client is on afterwards."""
    match step:
        case ("connect", other):
            await mirror.connect(other)
            return other
        case ("pause",):
            mirror.pause()
        case ("resume",):
            mirror.resume()
        case ("take",):
            await mirror.take()
        case ("sweep",):
            await (await services.hub(transport)).tailer.wait_for_pass()
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
            # A deletion carries the version that it deleted; a card that is made anew begins at one.
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
    bell=st.booleans(),
)
@example(program=COMMITTED_LATER, first="websocket", chunk=1000, threshold=1000, bell=True)
@example(program=SAME_ROW_CROSSED, first="websocket", chunk=1000, threshold=1000, bell=False)
async def test_a_client_ends_with_what_the_tables_hold(
    server: EmbeddedPostgres, template: str, program: list[Any], first: str, chunk: int, threshold: int, bell: bool
) -> None:
    with cloned(server, template) as database:
        await _run(program, database, first, chunk, threshold, bell=bell)
