"""No wake-up is lost when NOTIFY passes from the writers to the pacer and back; the safety read is turned off here."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from feed.notify.mode import Mode
from feed.runtime import Runtime
from tests.support.database import Database
from tests.support.pacer import heavy_writes, wait_for_mode
from tests.support.services import Serve
from tests.support.streams import Client
from tests.support.until import until

NO_SAFETY_READ = 1e6
"""Seconds between safety reads: longer than any test."""
AT_ONCE = 5.0
"""Seconds that a busy machine may take. A write whose wake-up is lost does not arrive in a longer time, which a test shows."""


@pytest.fixture(autouse=True)
def _short_low_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feed.notify.write_rate._LOW_SECONDS", 0.1)


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[AsyncConnection[DictRow]]:
    async with await database.connect() as conn:
        yield conn


class Instances:
    """Two instances with a client each; which one is the pacer shows once both have started."""

    def __init__(self, runtimes: list[Runtime], clients: list[Client]) -> None:
        self.runtimes = runtimes
        self.clients = clients

    @property
    def pacer(self) -> Runtime:
        (pacer,) = [runtime for runtime in self.runtimes if runtime.pacer.mode is not Mode.INACTIVE]
        return pacer


@pytest.fixture
async def instances(serve: Serve) -> Instances:
    services = [await serve(read_interval=NO_SAFETY_READ), await serve(read_interval=NO_SAFETY_READ)]
    found = Instances(
        [await service.runtime("websocket") for service in services],
        [await service.open("websocket") for service in services],
    )
    await until(lambda: any(runtime.pacer.mode is Mode.DIRECT for runtime in found.runtimes))
    return found


async def write(writer: AsyncConnection[DictRow]) -> bool:
    """Update the card in the open transaction and return whether it sends NOTIFY."""
    await writer.execute("UPDATE opportunities SET notes = clock_timestamp()::text WHERE id = 'o1'")
    row = await (
        await writer.execute("SELECT notified FROM feed.log WHERE key = 'o1' ORDER BY seq DESC LIMIT 1")
    ).fetchone()
    assert row is not None
    return bool(row["notified"])


async def begin(writer: AsyncConnection[DictRow], isolation: str) -> None:
    """Begin and query, which takes a snapshot; above READ COMMITTED the whole transaction keeps it."""
    await writer.execute(f"BEGIN ISOLATION LEVEL {isolation}")
    await writer.execute("SELECT count(*) FROM opportunities")


async def write_without_notify(
    runtime: Runtime, writer: AsyncConnection[DictRow], isolation: str = "READ COMMITTED"
) -> None:
    """Leave a transaction open whose write skipped NOTIFY. If the load pauses for lack of a processor, the pacer does, too."""
    while True:
        await wait_for_mode(runtime, Mode.COALESCED)
        await begin(writer, isolation)
        if not await write(writer):
            return
        await writer.execute("ROLLBACK")


async def wait_until_direct(runtime: Runtime) -> None:
    """Wait until the pacer is direct and nothing is left that could cause a wake-up by chance."""
    await wait_for_mode(runtime, Mode.DIRECT)
    await runtime.tailer.wait_for_pass()


PAST_SUPPRESSION = 0.6


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
@pytest.mark.parametrize(
    ("opened", "late"),
    [
        ("direct", 0.0),
        ("coalesced", 0.0),
        ("coalesced", PAST_SUPPRESSION),
        ("draining", 0.0),
        ("draining", PAST_SUPPRESSION),
    ],
)
async def test_a_lone_write_around_a_mode_change_is_delivered_at_once(
    instances: Instances, database: Database, writer: AsyncConnection[DictRow], opened: str, late: float, isolation: str
) -> None:
    """It begins in one mode and commits when the pacer becomes direct, or later; every client gets it."""
    runtime = instances.pacer
    if opened == "direct":
        await begin(writer, isolation)
        assert await write(writer)
    async with heavy_writes(database):
        await wait_for_mode(runtime, Mode.COALESCED)
        if opened == "draining":
            await begin(writer, isolation)
        if opened == "coalesced":
            await write_without_notify(runtime, writer, isolation)
    await wait_for_mode(runtime, Mode.DRAINING, Mode.DIRECT)
    if opened == "draining":
        # The snapshot is older, but the trigger reads the current value of the sequence.
        assert await write(writer)
    await asyncio.sleep(late)
    await writer.execute("COMMIT")
    for client in instances.clients:
        assert (await client.next_event(timeout=AT_ONCE)).body["version"] == 2
    await wait_until_direct(runtime)


@pytest.mark.parametrize("waits", [True, False])
async def test_without_waiting_for_transactions_in_progress_a_write_is_missed(
    instances: Instances,
    database: Database,
    writer: AsyncConnection[DictRow],
    monkeypatch: pytest.MonkeyPatch,
    waits: bool,
) -> None:
    """The pacer's wait is what covers the write: without it, no client gets it."""
    if not waits:

        async def ended(*_: object) -> bool:
            return True

        monkeypatch.setattr("db.pacer.ended", ended)
    runtime = instances.pacer
    async with heavy_writes(database):
        await write_without_notify(runtime, writer)
    await wait_for_mode(runtime, Mode.DRAINING, Mode.DIRECT)
    if not waits:
        await wait_until_direct(runtime)
    await asyncio.sleep(PAST_SUPPRESSION)
    await writer.execute("COMMIT")
    for patience, client in zip((1.5 * AT_ONCE, 0.1), instances.clients, strict=True):
        if waits:
            assert (await client.next_event(timeout=AT_ONCE)).body["version"] == 2
        else:
            with pytest.raises(AssertionError, match="no message"):
                await client.next_event(timeout=patience)


async def test_the_pacer_waits_for_a_prepared_transaction(
    instances: Instances, database: Database, writer: AsyncConnection[DictRow]
) -> None:
    """A transaction that sent NOTIFY cannot be prepared; one that skipped it can, and then has no backend until it commits."""
    runtime = instances.pacer
    async with heavy_writes(database):
        await write_without_notify(runtime, writer)
        await writer.execute(f"PREPARE TRANSACTION '{database.name}'")
    await wait_for_mode(runtime, Mode.DRAINING)
    await asyncio.sleep(PAST_SUPPRESSION)
    assert runtime.pacer.mode is Mode.DRAINING
    await writer.execute(f"COMMIT PREPARED '{database.name}'")
    for client in instances.clients:
        assert (await client.next_event(timeout=AT_ONCE)).body["version"] == 2


@pytest.mark.parametrize("seed", range(3))
async def test_lone_writes_at_any_moment_are_delivered_at_once(
    instances: Instances, database: Database, writer: AsyncConnection[DictRow], seed: int
) -> None:
    rng = random.Random(seed)
    runtime = instances.pacer
    notified = set()

    async def write_alone(wait: bool) -> None:
        if wait:
            await wait_for_mode(runtime, Mode.COALESCED)
        await asyncio.sleep(rng.uniform(0, 0.1))
        await writer.execute("BEGIN")
        notified.add(await write(writer))
        await asyncio.sleep(rng.choice((0, rng.uniform(0, 0.5))))
        await writer.execute("COMMIT")

    for version in range(2, 14):
        writing = asyncio.create_task(write_alone(wait=version % 2 == 0))
        async with heavy_writes(database):
            await wait_for_mode(runtime, Mode.COALESCED)
            await asyncio.sleep(rng.uniform(0, 0.15))
        await writing
        for client in instances.clients:
            assert (await client.next_event(timeout=AT_ONCE)).body["version"] == version
        await wait_until_direct(runtime)
    assert False in notified, "no write skipped NOTIFY"


async def test_the_next_pacer_waits_for_writes_that_skipped_notify(
    serve: Serve, database: Database, writer: AsyncConnection[DictRow]
) -> None:
    """The pacer stops cleanly while a transaction that skipped NOTIFY is open: its successor waits for it."""
    first = await serve(read_interval=NO_SAFETY_READ)
    runtime = await first.runtime("websocket")
    await wait_for_mode(runtime, Mode.DIRECT)
    second = await serve(read_interval=NO_SAFETY_READ)
    other = await second.runtime("websocket")
    client = await second.open("websocket")
    async with heavy_writes(database):
        await write_without_notify(runtime, writer)
    await first.stop()
    await wait_for_mode(other, Mode.DRAINING, timeout=0.5)
    await asyncio.sleep(PAST_SUPPRESSION)
    await writer.execute("COMMIT")
    assert (await client.next_event(timeout=AT_ONCE)).body["version"] == 2
    await wait_for_mode(other, Mode.DIRECT)
