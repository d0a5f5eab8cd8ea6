"""The two settings of BOARDCAST_NOTIFY_MODE, end to end: clients get the same events, only who sends NOTIFY differs."""

import asyncio
from typing import Any

import pytest

from feed.notify.pacer import Mode
from tests.support.busy import crowd, lease, mode
from tests.support.database import Database
from tests.support.load import read_to, version, versions, writing
from tests.support.services import Serve
from tests.support.until import until

NOTIFIED = """
SELECT count(*) FILTER (WHERE notified) AS notified, count(*) FILTER (WHERE NOT notified) AS suppressed FROM feed.log WHERE seq > %s
"""


async def notified(database: Database, after: int = 0) -> dict[str, Any]:
    """Since a row of the log: how many changes sent NOTIFY, and how many did not."""
    (row,) = await database.execute(NOTIFIED, [after])
    return row


async def newest(database: Database) -> int:
    (row,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    return int(row["seq"])


@pytest.mark.parametrize("setting", ["always", "adaptive"])
async def test_every_version_comes_once_to_all_while_many_write(serve: Serve, database: Database, setting: str) -> None:
    services = await serve(notify_mode=setting)
    clients = [await services.open(transport) for transport in ("websocket-batch", "sse", "api-events")]
    hubs = [await services.hub(transport) for transport in ("websocket", "api-events")]
    expected = {"always": Mode.INACTIVE, "adaptive": Mode.COALESCED}[setting]
    begin = await newest(database)
    async with writing(database, pause=0.001) as load, crowd(database):
        await until(lambda: any(hub.pacer.mode is expected for hub in hubs), timeout=10)
        at = load.written
        await until(lambda: load.written > at + 100, timeout=20)
        leads = [hub.pacer.mode for hub in hubs if hub.pacer.mode is not Mode.INACTIVE]
        found = await notified(database, begin)
    last = await version(database)
    for client in clients:
        assert versions(await read_to(client, last)) == list(range(2, last + 1))
    held = await lease(database)
    if setting == "always":
        assert (leads, held["instance"], found["suppressed"]) == ([], "", 0)
    else:
        assert leads == [expected]
        assert held["instance"] in {hub.instance for hub in hubs}
        assert held["mode"] == expected
        assert found["suppressed"] > 100


async def test_a_few_writers_notify_themselves(serve: Serve, database: Database) -> None:
    services = await serve()
    client, hub = await services.open("websocket"), await services.hub("websocket")
    await mode(hub, Mode.DIRECT)
    begin = await newest(database)
    for number in range(2, 42):
        await database.execute("UPDATE opportunities SET notes = clock_timestamp()::text")
        assert (await client.next_event()).body["version"] == number
        await asyncio.sleep(1 / 30)  # the promise is for at most 30 writes a second
    assert await notified(database, begin) == {"notified": 40, "suppressed": 0}
    assert hub.pacer.mode is Mode.DIRECT


async def test_one_large_transaction_is_no_crowd(serve: Serve, database: Database) -> None:
    services = await serve()
    hub = await services.hub("websocket")
    await mode(hub, Mode.DIRECT)
    await database.execute("INSERT INTO opportunities (board_id) SELECT 'b1' FROM generate_series(1, 3000)")
    await hub.tailer.wait_for_pass()
    assert hub.pacer.mode is Mode.DIRECT


async def test_the_pacer_is_measured(serve: Serve, database: Database) -> None:
    services = await serve()
    hub = await services.hub("websocket")
    await mode(hub, Mode.DIRECT)
    begin = await newest(database)

    def value(name: str, **labels: str) -> float:
        return hub.metrics.registry.get_sample_value(name, labels) or 0.0

    sent, suppressed = (
        value("boardcast_notifications_total", by="writer"),
        value("boardcast_notifications_suppressed_total"),
    )
    assert value("boardcast_pacer", boardcast_pacer="direct") == 1
    async with crowd(database):
        await mode(hub, Mode.COALESCED)
        await until(lambda: value("boardcast_notifications_total", by="pacer") > 5)
        assert value("boardcast_pacer", boardcast_pacer="coalesced") == 1
    await mode(hub, Mode.DIRECT)
    found = await notified(database, begin)
    assert value("boardcast_notifications_total", by="writer") - sent == found["notified"]
    assert value("boardcast_notifications_suppressed_total") - suppressed == found["suppressed"]
    for to in ("coalesced", "draining", "direct"):
        assert value("boardcast_pacer_transitions_total", to=to) >= 1
    # Written with the next renewal of the lease.
    await until(lambda: _recorded(database, value("boardcast_notifications_total", by="pacer")))


async def _recorded(database: Database, sent: float) -> bool:
    return bool((await lease(database))["notifications"] == int(sent))
