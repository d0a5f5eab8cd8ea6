"""Both settings of BOARDCAST_NOTIFY_MODE, end to end: clients get the same events, only the sender of NOTIFY differs."""

import asyncio
from typing import Any

import pytest

from feed.notify.mode import Mode
from tests.support.database import Database
from tests.support.load import card_version, read_until_version, versions, writing
from tests.support.pacer import heavy_writes, pacer_lease, wait_for_mode
from tests.support.services import Serve
from tests.support.until import until

NOTIFIED = """
SELECT count(*) FILTER (WHERE notified) AS notified, count(*) FILTER (WHERE NOT notified) AS suppressed FROM feed.log WHERE seq > %s
"""


async def notified(database: Database, after: int = 0) -> dict[str, Any]:
    """How many changes since a row of the log sent NOTIFY, and how many did not."""
    (row,) = await database.execute(NOTIFIED, [after])
    return row


async def newest(database: Database) -> int:
    (row,) = await database.execute("SELECT max(seq) AS seq FROM feed.log")
    return int(row["seq"])


@pytest.mark.parametrize("setting", ["always", "adaptive"])
async def test_every_client_gets_every_version_once_under_many_writes(
    serve: Serve, database: Database, setting: str
) -> None:
    services = await serve(notify_mode=setting)
    clients = [await services.open(transport) for transport in ("websocket-batch", "sse", "api-events")]
    runtimes = [await services.runtime(transport) for transport in ("websocket", "api-events")]
    expected = {"always": Mode.INACTIVE, "adaptive": Mode.COALESCED}[setting]
    begin = await newest(database)
    async with writing(database, pause=0.001) as load, heavy_writes(database):
        await until(lambda: any(runtime.pacer.mode is expected for runtime in runtimes), timeout=10)
        at = load.written
        await until(lambda: load.written > at + 100, timeout=20)
        leads = [runtime.pacer.mode for runtime in runtimes if runtime.pacer.mode is not Mode.INACTIVE]
        found = await notified(database, begin)
    last = await card_version(database)
    for client in clients:
        assert versions(await read_until_version(client, last)) == list(range(2, last + 1))
    held = await pacer_lease(database)
    if setting == "always":
        assert (leads, held["instance"], found["suppressed"]) == ([], "", 0)
    else:
        assert leads == [expected]
        assert held["instance"] in {runtime.instance for runtime in runtimes}
        assert held["mode"] == expected
        assert found["suppressed"] > 100


async def test_few_writers_send_notify_themselves(serve: Serve, database: Database) -> None:
    services = await serve()
    client, runtime = await services.open("websocket"), await services.runtime("websocket")
    await wait_for_mode(runtime, Mode.DIRECT)
    begin = await newest(database)
    for number in range(2, 42):
        await database.execute("UPDATE opportunities SET notes = clock_timestamp()::text")
        assert (await client.next_event()).body["version"] == number
        await asyncio.sleep(1 / 30)  # up to 30 writes a second, each writer is promised to send NOTIFY
    assert await notified(database, begin) == {"notified": 40, "suppressed": 0}
    assert runtime.pacer.mode is Mode.DIRECT


async def test_one_large_transaction_does_not_start_the_pacer(serve: Serve, database: Database) -> None:
    services = await serve()
    runtime = await services.runtime("websocket")
    await wait_for_mode(runtime, Mode.DIRECT)
    await database.execute("INSERT INTO opportunities (board_id) SELECT 'b1' FROM generate_series(1, 3000)")
    await runtime.tailer.wait_for_pass()
    assert runtime.pacer.mode is Mode.DIRECT


async def test_the_pacer_metrics_match_the_log(serve: Serve, database: Database) -> None:
    services = await serve()
    runtime = await services.runtime("websocket")
    await wait_for_mode(runtime, Mode.DIRECT)
    begin = await newest(database)

    def value(name: str, **labels: str) -> float:
        return runtime.metrics.registry.get_sample_value(name, labels) or 0.0

    sent, suppressed = (
        value("boardcast_notifications_total", by="writer"),
        value("boardcast_notifications_suppressed_total"),
    )
    assert value("boardcast_pacer", boardcast_pacer="direct") == 1
    async with heavy_writes(database):
        await wait_for_mode(runtime, Mode.COALESCED)
        await until(lambda: value("boardcast_notifications_total", by="pacer") > 5)
        assert value("boardcast_pacer", boardcast_pacer="coalesced") == 1
    await wait_for_mode(runtime, Mode.DIRECT)
    found = await notified(database, begin)
    assert value("boardcast_notifications_total", by="writer") - sent == found["notified"]
    assert value("boardcast_notifications_suppressed_total") - suppressed == found["suppressed"]
    for to in ("coalesced", "draining", "direct"):
        assert value("boardcast_pacer_transitions_total", to=to) >= 1
    # The count is written with the next renewal of the lease.
    await until(lambda: _recorded(database, value("boardcast_notifications_total", by="pacer")))


async def _recorded(database: Database, sent: float) -> bool:
    return bool((await pacer_lease(database))["notifications"] == int(sent))
