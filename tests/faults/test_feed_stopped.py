"""A feed process that was suspended does not mistake its own silence for that of its clients."""

import asyncio
import os
import signal
from pathlib import Path
from urllib.parse import urlsplit

from feed.upkeep import heartbeats
from tests.cli.harness import SECRET, Commands
from tests.support.database import Database
from tests.support.services import Services
from tests.support.streams import WebSocketClient

HEARTBEAT = 0.6


async def test_a_suspended_feed_keeps_its_clients(services: Services, database: Database, tmp_path: Path) -> None:
    await services.feed()  # creates the users and boards
    env = {
        "DATABASE_URL": database.url,
        "JWT_SECRET": SECRET,
        "BOARDCAST_FEED_PORT": "0",
        "BOARDCAST_HEARTBEAT_INTERVAL": str(HEARTBEAT),
    }
    with Commands(tmp_path, env).serving("feed") as service:
        port = urlsplit(service.feed).port or 0
        client = await WebSocketClient.connect(port, services.token("ana"), "ana")
        await client.next("auth_success")
        os.kill(service.process.pid, signal.SIGSTOP)
        await asyncio.sleep((heartbeats._MISSED_LIMIT + 2) * HEARTBEAT)
        os.kill(service.process.pid, signal.SIGCONT)
        for _ in range(heartbeats._MISSED_LIMIT + 2):
            await client.next("heartbeat")
        await database.execute("UPDATE opportunities SET title = 'after the suspension'")
        assert (await client.next_event()).body["changes"]["title"] == "after the suspension"
        await client.close()
