"""Whatever is written, in whatever order it commits, and however a client comes and goes: it ends with what the tables hold.

BOARDCAST_TEST_EXAMPLES sets how many programs are tried (25 otherwise).
"""

import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.embedded import EmbeddedPostgres
from tests.property.mirror import BOARDS, Card, Mirror
from tests.property.writers import Step, Writer
from tests.support.database import Database, cloned
from tests.support.services import Services, people, serving
from tests.support.streams import TRANSPORTS
from tests.support.until import until

EXAMPLES = int(os.environ.get("BOARDCAST_TEST_EXAMPLES", "25"))
WRITERS = 3
CARDS = ("o1", "c1", "c2", "c3")

_ops = st.one_of(
    st.tuples(
        st.sampled_from(["begin", "commit", "begin", "commit", "rollback", "savepoint", "rollback to", "take xid"])
    ).map(lambda op: (*op, "", "")),
    st.tuples(st.just("insert"), st.sampled_from(CARDS), st.sampled_from(BOARDS)),
    st.tuples(st.sampled_from(["edit", "nothing", "delete"]), st.sampled_from(CARDS), st.sampled_from("abc")),
    st.tuples(st.just("move"), st.sampled_from(CARDS), st.sampled_from(["new", "won", "lost"])),
    st.tuples(st.just("change board"), st.sampled_from(CARDS), st.sampled_from(BOARDS)),
    st.tuples(st.just("edit all"), st.just(""), st.sampled_from("xyz")),
)
_writes = st.tuples(st.integers(0, WRITERS - 1), _ops).map(lambda t: Step(t[0], *t[1]))
_moves = st.tuples(st.just("connect"), st.sampled_from(TRANSPORTS))
_waits = st.tuples(st.sampled_from(["pause", "resume", "take", "sweep", "restart"]))
_programs = st.lists(st.one_of(_writes, _writes, _writes, _writes, _moves, _waits), min_size=10, max_size=60)


async def _table(database: Database) -> dict[tuple[str, str], Card]:
    rows = await database.execute("SELECT board_id, id, to_jsonb(o) AS card FROM opportunities AS o")
    return {(row["board_id"], row["id"]): row["card"] for row in rows}


def _comparable(cards: dict[tuple[str, str], Card]) -> dict[tuple[str, str], Any]:
    moments = ("created_at", "last_sync_at")  # the same, but for how the time zone of each session writes it
    return {key: {name: value for name, value in card.items() if name not in moments} for key, card in cards.items()}


async def _run(program: list[Any], database: Database, first: str, chunk: int, threshold: int) -> None:
    await people(database)
    async with serving(database, chunk=chunk, resync_threshold=threshold, sweep=0.1, heartbeat=0.2) as services:
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
            for writer in writers:
                await writer.finish()
        finally:
            for writer in writers:
                await writer.close()
        truth = _comparable(await _table(database))

        async def converged() -> bool:
            await mirror.take()
            return _comparable(mirror.cards) == truth

        await until(converged, timeout=5, what=f"{mirror.cards} to become {truth}")
        _check_history(mirror)


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
            await (await services.hub(transport)).tailer.swept()
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
)
async def test_a_client_ends_with_what_the_tables_hold(
    server: EmbeddedPostgres, template: str, program: list[Any], first: str, chunk: int, threshold: int
) -> None:
    with cloned(server, template) as database:
        await _run(program, database, first, chunk, threshold)
