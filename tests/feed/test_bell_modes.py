"""The three ways to ring, through all that there is: what clients are told is the same, who rings is not."""

import asyncio
from typing import Any

import pytest

from feed.notify.pacer import Mode
from tests.support.busy import crowd, lease, mode
from tests.support.database import Database
from tests.support.load import read_to, version, versions, writing
from tests.support.services import Serve
from tests.support.until import until

RANG = "SELECT count(*) FILTER (WHERE rang) AS rang, count(*) FILTER (WHERE NOT rang) AS skipped FROM feed.log WHERE seq > %s"


async def rung(database: Database, after: int = 0) -> dict[str, Any]:
    """Since a row of the log: how many changes rang, and how many did not."""
    (row,) = await database.execute(RANG, [after])
    return row


async def newest(database: Database) -> int:
    (row,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    return int(row["seq"])


@pytest.mark.parametrize("bell", ["always", "adaptive", "tick"])
async def test_every_version_comes_once_to_all_while_many_write(serve: Serve, database: Database, bell: str) -> None:
    services = await serve(bell=bell)
    clients = [await services.open(transport) for transport in ("websocket-batch", "sse", "api-events")]
    hubs = [await services.hub(transport) for transport in ("websocket", "api-events")]
    busy = {"always": Mode.ASIDE, "adaptive": Mode.BUSY, "tick": Mode.TICK}[bell]
    begin = await newest(database)
    async with writing(database, pause=0.001) as load, crowd(database):
        await until(lambda: any(hub.pacer.mode is busy for hub in hubs), timeout=10)
        at = load.written
        await until(lambda: load.written > at + 100, timeout=20)
        leads = [hub.pacer.mode for hub in hubs if hub.pacer.mode is not Mode.ASIDE]
        found = await rung(database, begin)
    last = await version(database)
    for client in clients:
        assert versions(await read_to(client, last)) == list(range(2, last + 1))
    held = await lease(database)
    if bell == "always":
        assert (leads, held["instance"], found["skipped"]) == ([], "", 0)
    else:
        assert leads == [busy]
        assert held["instance"] in {hub.instance for hub in hubs}
        assert held["mode"] == busy
        assert found["skipped"] > 100


async def test_tick_never_asks_a_writer_to_ring(serve: Serve, database: Database) -> None:
    services = await serve(bell="tick")
    client, hub = await services.open("websocket"), await services.hub("websocket")
    await mode(hub, Mode.TICK)
    begin = await newest(database)
    for number in range(2, 12):
        await database.execute("UPDATE opportunities SET notes = clock_timestamp()::text")
        assert (await client.next_event(timeout=0.5)).body["version"] == number
    assert await rung(database, begin) == {"rang": 0, "skipped": 10}


async def test_a_few_writers_stay_calm(serve: Serve, database: Database) -> None:
    services = await serve()
    client, hub = await services.open("websocket"), await services.hub("websocket")
    await mode(hub, Mode.CALM)
    begin = await newest(database)
    for number in range(2, 42):
        await database.execute("UPDATE opportunities SET notes = clock_timestamp()::text")
        assert (await client.next_event()).body["version"] == number
        await asyncio.sleep(1 / 30)  # what it is of: 30 writes a second at most
    assert await rung(database, begin) == {"rang": 40, "skipped": 0}
    assert hub.pacer.mode is Mode.CALM


async def test_one_large_transaction_is_no_crowd(serve: Serve, database: Database) -> None:
    services = await serve()
    hub = await services.hub("websocket")
    await mode(hub, Mode.CALM)
    await database.execute("INSERT INTO opportunities (board_id) SELECT 'b1' FROM generate_series(1, 3000)")
    await hub.tailer.swept()
    assert hub.pacer.mode is Mode.CALM


async def test_what_it_does_is_measured(serve: Serve, database: Database) -> None:
    services = await serve()
    hub = await services.hub("websocket")
    await mode(hub, Mode.CALM)
    begin = await newest(database)

    def value(name: str, **labels: str) -> float:
        return hub.metrics.registry.get_sample_value(name, labels) or 0.0

    rang, skipped = (value("boardcast_bells_total", by="writer"), value("boardcast_bells_skipped_total"))
    assert value("boardcast_pacer", boardcast_pacer="calm") == 1
    async with crowd(database):
        await mode(hub, Mode.BUSY)
        await until(lambda: value("boardcast_bells_total", by="pacer") > 5)
        assert value("boardcast_pacer", boardcast_pacer="busy") == 1
    await mode(hub, Mode.CALM)
    found = await rung(database, begin)
    assert value("boardcast_bells_total", by="writer") - rang == found["rang"]
    assert value("boardcast_bells_skipped_total") - skipped == found["skipped"]
    for to in ("busy", "calming", "calm"):
        assert value("boardcast_pacer_transitions_total", to=to) >= 1
    # Told with the next renewal of the lease.
    await until(lambda: _told(database, value("boardcast_bells_total", by="pacer")))


async def _told(database: Database, rings: float) -> bool:
    return bool((await lease(database))["rung"] == int(rings))
