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
    monkeypatch.setattr("feed.notify.write_rate._QUIET", 0.1)


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
        (one,) = [hub for hub in self.hubs if hub.pacer.mode is not Mode.ASIDE]
        return one


@pytest.fixture
async def instances(serve: Serve) -> Instances:
    services = [await serve(sweep=NEVER), await serve(sweep=NEVER)]
    found = Instances(
        [await one.hub("websocket") for one in services], [await one.open("websocket") for one in services]
    )
    await until(lambda: any(hub.pacer.mode is Mode.CALM for hub in found.hubs))
    return found


async def write(lone: AsyncConnection[DictRow]) -> bool:
    """Change the card in the transaction that is open; whether it rings."""
    await lone.execute("UPDATE opportunities SET notes = clock_timestamp()::text WHERE id = 'o1'")
    row = await (await lone.execute("SELECT rang FROM feed.log WHERE key = 'o1' ORDER BY seq DESC LIMIT 1")).fetchone()
    assert row is not None
    return bool(row["rang"])


async def begin(lone: AsyncConnection[DictRow], isolation: str) -> None:
    """Begin, and look at something: a snapshot is taken, and above READ COMMITTED it is that of the whole transaction."""
    await lone.execute(f"BEGIN ISOLATION LEVEL {isolation}")
    await lone.execute("SELECT count(*) FROM opportunities")


async def until_calm(hub: Runtime) -> None:
    """Wait until nobody is to be waited for, with nothing left that could wake anybody by chance."""
    await mode(hub, Mode.CALM)
    await hub.tailer.swept()


PAST_THE_PULSE = 0.6


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
@pytest.mark.parametrize(
    ("opened", "late"),
    [("calm", 0.0), ("busy", 0.0), ("busy", PAST_THE_PULSE), ("calming", 0.0), ("calming", PAST_THE_PULSE)],
)
async def test_a_lone_write_around_a_change_is_seen_at_once(
    instances: Instances, database: Database, lone: AsyncConnection[DictRow], opened: str, late: float, isolation: str
) -> None:
    """It begins in one mode and is committed when the pacer goes calm, or some time later; each client sees it."""
    hub = instances.pacer
    if opened == "calm":
        await begin(lone, isolation)
        assert await write(lone)
    async with crowd(database):
        await mode(hub, Mode.BUSY)
        if opened != "calm":
            await begin(lone, isolation)
        if opened == "busy":
            assert not await write(lone)
    await mode(hub, Mode.CALMING, Mode.CALM)
    if opened == "calming":
        # Its snapshot is of a time when nobody rang; the pulse is read as it is now.
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
        await mode(hub, Mode.BUSY)
        await lone.execute("BEGIN")
        assert not await write(lone)
    await mode(hub, Mode.CALMING, Mode.CALM)
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
        await mode(hub, Mode.BUSY)
        await lone.execute("BEGIN")
        assert not await write(lone)
        await lone.execute(f"PREPARE TRANSACTION '{database.name}'")
    await mode(hub, Mode.CALMING)
    await asyncio.sleep(PAST_THE_PULSE)
    assert hub.pacer.mode is Mode.CALMING
    await lone.execute(f"COMMIT PREPARED '{database.name}'")
    for client in instances.clients:
        assert (await client.next_event(timeout=AT_ONCE)).body["version"] == 2


@pytest.mark.parametrize("seed", range(3))
async def test_lone_writes_at_any_moment(
    instances: Instances, database: Database, lone: AsyncConnection[DictRow], seed: int
) -> None:
    chance = random.Random(seed)
    hub = instances.pacer
    rang = set()

    async def one(wait: bool) -> None:
        if wait:
            await mode(hub, Mode.BUSY)
        await asyncio.sleep(chance.uniform(0, 0.1))
        await lone.execute("BEGIN")
        rang.add(await write(lone))
        await asyncio.sleep(chance.choice((0, chance.uniform(0, 0.5))))
        await lone.execute("COMMIT")

    for version in range(2, 14):
        writing = asyncio.create_task(one(wait=version % 2 == 0))
        async with crowd(database):
            await mode(hub, Mode.BUSY)
            await asyncio.sleep(chance.uniform(0, 0.15))
        await writing
        for client in instances.clients:
            assert (await client.next_event(timeout=AT_ONCE)).body["version"] == version
        await until_calm(hub)
    assert False in rang, "it was never written while the pacer was busy"


async def test_the_pacer_stops_and_another_waits_in_its_place(
    serve: Serve, database: Database, lone: AsyncConnection[DictRow]
) -> None:
    """A clean stop in the middle of it: whoever did not ring is the next one's to wait for."""
    first = await serve(sweep=NEVER)
    hub = await first.hub("websocket")
    await mode(hub, Mode.CALM)
    second = await serve(sweep=NEVER)
    other = await second.hub("websocket")
    client = await second.open("websocket")
    async with crowd(database):
        await mode(hub, Mode.BUSY)
        await lone.execute("BEGIN")
        assert not await write(lone)
    await first.stop()
    await mode(other, Mode.CALMING, timeout=0.5)
    await asyncio.sleep(PAST_THE_PULSE)
    await lone.execute("COMMIT")
    assert (await client.next_event(timeout=AT_ONCE)).body["version"] == 2
    await mode(other, Mode.CALM)
