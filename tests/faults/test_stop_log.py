"""A service that stops under load logs no error, and a flood of input takes no memory."""

import asyncio
import socket
from pathlib import Path

from tests.bench.wire import hello, upgrade
from tests.cli.harness import Commands
from tests.faults.test_log_levels import Target, environment, streams_and_requests
from tests.hostile.test_unread import KIB, HostileClient, control
from tests.support.database import Database
from tests.support.services import add_people
from tests.support.until import until


async def test_a_stop_with_open_streams_and_requests_logs_no_error(database: Database, tmp_path: Path) -> None:
    await add_people(database)
    loop = asyncio.get_running_loop()
    with Commands(tmp_path, environment(database)).serving("up") as service:
        target = Target(service, database)
        async with await database.connect(autocommit=False) as blocker:
            # A request waits for this lock at the stop.
            await blocker.execute("SELECT FROM opportunities WHERE id = 'o1' FOR UPDATE")
            sockets = []
            for port, request in streams_and_requests(target):
                sock = socket.socket()
                sock.setblocking(False)
                await loop.sock_connect(sock, ("127.0.0.1", port))
                await loop.sock_sendall(sock, request)
                sockets.append(sock)

            async def blocked() -> bool:
                rows = await database.execute("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                return bool(rows)

            await until(blocked, timeout=10)
            await target.check_alive()
            await asyncio.to_thread(service.stop, timeout=20)
            for sock in sockets:
                sock.close()
        assert service.process.returncode == 0
        target.check_no_fault_logged()


async def test_a_flood_of_pings_takes_no_memory(database: Database, tmp_path: Path) -> None:
    await add_people(database)
    loop = asyncio.get_running_loop()
    with Commands(tmp_path, environment(database)).serving("up") as service:
        target = Target(service, database)

        def resident() -> int:
            for line in Path(f"/proc/{service.process.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS"):
                    return int(line.split()[1]) * KIB
            raise AssertionError

        await target.check_alive()
        before = resident()
        for opening in (upgrade(target.feed), upgrade(target.feed) + hello("ana", target.token())):
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
                sock.setblocking(False)
                await loop.sock_connect(sock, ("127.0.0.1", target.feed))
                await loop.sock_sendall(sock, opening)
                hostile = HostileClient(sock)
                await hostile.flood(control(0x9, 125), 64 * KIB * KIB)
                assert hostile.sent < 64 * KIB * KIB
                await hostile.wait_until_cut()
        await target.check_alive()
        assert resident() - before < 16 * KIB * KIB
        target.check_no_fault_logged()
