"""No wake-up is lost when the bell passes from the writers to the pacer and back: here no sweep comes by itself."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from feed.notify.pacer import Mode
from feed.runtime import Runtime
from tests.support.busy import crowd, mode
from tests.support.database import Database
from tests.support.services import Serve
from tests.support.streams import Client
from tests.support.until import until

NEVER = 1e6
"""Seconds between the sweeps that come whatever happens."""
AT_ONCE = 1.0
"""Seconds; twice the longest pause between two sweeps of one who waits, on a machine that has other things to do too."""


@pytest.fixture(autouse=True)
def _quick_to_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feed.notify.write_rate._LOW_SECONDS", 0.1)


@pytest.fixture
async def lone(database: Database) -> AsyncIterator[AsyncConnection[DictRow]]:
    async with await database.connect() as conn:
        yield conn


class Instances:
    """Two, and a client at each: which of them is the pacer is seen when both have started."""

    def __init__(self, hubs: list[Runtime], clients: list[Client]) -> None:
        self.hubs = hubs
        self.clients = clients

    @property
    def pacer(self) -> Runtime:
        (one,) = [hub for hub in self.hubs if hub.pacer.mode is not Mode.INACTIVE]
        return one


@pytest.fixture
async def instances(serve: Serve) -> Instances:
    services = [await serve(read_interval=NEVER), await serve(read_interval=NEVER)]
    found = Instances(
        [await one.hub("websocket") for one in services], [await one.open("websocket") for one in services]
    )
    await until(lambda: any(hub.pacer.mode is Mode.DIRECT for hub in found.hubs))
    return found


async def write(lone: AsyncConnection[DictRow]) -> bool:
    """Change the card in the transaction that is open; whether it rings."""
    await lone.execute("UPDATE opportunities SET notes = clock_timestamp()::text WHERE id = 'o1'")
    row = await (
        await lone.execute("SELECT notified FROM feed.log WHERE key = 'o1' ORDER BY seq DESC LIMIT 1")
    ).fetchone()
    assert row is not None
    return bool(row["notified"])


async def begin(lone: AsyncConnection[DictRow], isolation: str) -> None:
    """Begin, and look at something: a snapshot is taken, and above READ COMMITTED it is that of the whole transaction."""
    await lone.execute(f"BEGIN ISOLATION LEVEL {isolation}")
    await lone.execute("SELECT count(*) FROM opportunities")


async def until_calm(hub: Runtime) -> None:
    """Wait until nobody is to be waited for, with nothing left that could wake anybody by chance."""
    await mode(hub, Mode.DIRECT)
    await hub.tailer.wait_for_pass()


PAST_THE_PULSE = 0.6


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
@pytest.mark.parametrize(
    ("opened", "late"),
    [
        ("direct", 0.0),
        ("coalesced", 0.0),
        ("coalesced", PAST_THE_PULSE),
        ("draining", 0.0),
        ("draining", PAST_THE_PULSE),
    ],
)
async def test_a_lone_write_around_a_change_is_seen_at_once(
    instances: Instances, database: Database, lone: AsyncConnection[DictRow], opened: str, late: float, isolation: str
) -> None:
    """It begins in one mode and is committed when the pacer goes calm, or some time later; each client sees it."""
    hub = instances.pacer
    if opened == "direct":
        await begin(lone, isolation)
        assert await write(lone)
    async with crowd(database):
        await mode(hub, Mode.COALESCED)
        if opened != "direct":
            await begin(lone, isolation)
        if opened == "coalesced":
            assert not await write(lone)
    await mode(hub, Mode.DRAINING, Mode.DIRECT)
    if opened == "draining":
        # Its snapshot is of a time when nobody notified; the pulse is read as it is now.
        assert await write(lone)
    await asyncio.sleep(late)
    await lone.execute("COMMIT")
    for client in instances.clients:
        assert (await client.next_event(timeout=AT_ONCE)).body["version"] == 2
    await until_calm(hub)


@pytest.mark.parametrize("waits", [True, False])
async def test_it_is_the_wait_for_those_in_progress_that_makes_it_so(
    instances: Instances,
    database: Database,
    lone: AsyncConnection[DictRow],
    monkeypatch: pytest.MonkeyPatch,
    waits: bool,
) -> None:
    """Without that wait the same write is seen by nobody."""
    if not waits:

        async def ended(*_: object) -> bool:
            return True

        monkeypatch.setattr("db.pacer.ended", ended)
    hub = instances.pacer
    async with crowd(database):
        await mode(hub, Mode.COALESCED)
        await lone.execute("BEGIN")
        assert not await write(lone)
    await mode(hub, Mode.DRAINING, Mode.DIRECT)
    if not waits:
        await until_calm(hub)
    await asyncio.sleep(PAST_THE_PULSE)
    await lone.execute("COMMIT")
    for client in instances.clients:
        if waits:
            assert (await client.next_event(timeout=AT_ONCE)).body["version"] == 2
        else:
            with pytest.raises(AssertionError, match="no message"):
                await client.next_event(timeout=2 * AT_ONCE)


async def test_a_write_prepared_for_two_phases_is_waited_for(
    instances: Instances, database: Database, lone: AsyncConnection[DictRow]
) -> None:
    """One that rings cannot be prepared; one that does not can, and belongs to no connection until it is committed."""
    hub = instances.pacer
    async with crowd(database):
        await mode(hub, Mode.COALESCED)
        await lone.execute("BEGIN")
        assert not await write(lone)
        await lone.execute(f"PREPARE TRANSACTION '{database.name}'")
    await mode(hub, Mode.DRAINING)
    await asyncio.sleep(PAST_THE_PULSE)
    assert hub.pacer.mode is Mode.DRAINING
    await lone.execute(f"COMMIT PREPARED '{database.name}'")
    for client in instances.clients:
        assert (await client.next_event(timeout=AT_ONCE)).body["version"] == 2


@pytest.mark.parametrize("seed", range(3))
async def test_lone_writes_at_any_moment(
    instances: Instances, database: Database, lone: AsyncConnection[DictRow], seed: int
) -> None:
    chance = random.Random(seed)
    hub = instances.pacer
    notified = set()

    async def one(wait: bool) -> None:
        if wait:
            await mode(hub, Mode.COALESCED)
        await asyncio.sleep(chance.uniform(0, 0.1))
        await lone.execute("BEGIN")
        notified.add(await write(lone))
        await asyncio.sleep(chance.choice((0, chance.uniform(0, 0.5))))
        await lone.execute("COMMIT")

    for version in range(2, 14):
        writing = asyncio.create_task(one(wait=version % 2 == 0))
        async with crowd(database):
            await mode(hub, Mode.COALESCED)
            await asyncio.sleep(chance.uniform(0, 0.15))
        await writing
        for client in instances.clients:
            assert (await client.next_event(timeout=AT_ONCE)).body["version"] == version
        await until_calm(hub)
    assert False in notified, "it was never written while the pacer was busy"


async def test_the_pacer_stops_and_another_waits_in_its_place(
    serve: Serve, database: Database, lone: AsyncConnection[DictRow]
) -> None:
    """A clean stop in the middle of it: whoever did not ring is the next one's to wait for."""
    first = await serve(read_interval=NEVER)
    hub = await first.hub("websocket")
    await mode(hub, Mode.DIRECT)
    second = await serve(read_interval=NEVER)
    other = await second.hub("websocket")
    client = await second.open("websocket")
    async with crowd(database):
        await mode(hub, Mode.COALESCED)
        await lone.execute("BEGIN")
        assert not await write(lone)
    await first.stop()
    await mode(other, Mode.DRAINING, timeout=0.5)
    await asyncio.sleep(PAST_THE_PULSE)
    await lone.execute("COMMIT")
    assert (await client.next_event(timeout=AT_ONCE)).body["version"] == 2
    await mode(other, Mode.DIRECT)
