"""A feed that stood still (stopped, starved, its machine suspended) does not take its own silence for its clients'."""

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


async def test_its_clients_are_kept(services: Services, database: Database, tmp_path: Path) -> None:
    await services.feed()  # the people
    env = {
        "DATABASE_URL": database.url,
        "JWT_SECRET": SECRET,
        "BOARDCAST_FEED_PORT": "0",
        "BOARDCAST_HEARTBEAT_INTERVAL": str(HEARTBEAT),
    }
    with Commands(tmp_path, env).serving("feed") as stopped:
        port = urlsplit(stopped.feed).port or 0
        client = await WebSocketClient.connect(port, services.token("ana"), "ana")
        await client.next("auth_success")
        os.kill(stopped.process.pid, signal.SIGSTOP)
        await asyncio.sleep((heartbeats._MISSED_LIMIT + 2) * HEARTBEAT)
        os.kill(stopped.process.pid, signal.SIGCONT)
        for _ in range(heartbeats._MISSED_LIMIT + 2):
            await client.next("heartbeat")
        await database.execute("UPDATE opportunities SET title = 'while it is there'")
        assert (await client.next_event()).body["changes"]["title"] == "while it is there"
        await client.close()
