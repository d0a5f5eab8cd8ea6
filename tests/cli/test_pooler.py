"""Behind a transaction pooler (pgbouncer) services refuse to start, unless LISTEN has a direct connection."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from cli.failures import DATABASE
from db.embedded.account import Account
from db.embedded.loopback import free_port, is_free
from tests.cli.harness import SECRET, Commands
from tests.cli.test_up import port_of
from tests.support.database import Database
from tests.support.services import add_people
from tests.support.streams import EventStreamClient
from tests.support.until import until

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

SETTINGS = """
[databases]
crm = host={host} port={port} user={user} password={password} dbname={name}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
"""


@contextmanager
def pooling(database: Database, listen: int, *, mode: str = "transaction", size: int = 3) -> Iterator[None]:
    """Run pgbouncer on the port `listen` with `size` server connections."""
    url = urlsplit(database.url)
    account = {"host": url.hostname, "port": url.port, "user": url.username, "password": url.password}
    text = SETTINGS.format(**account, name=database.name, listen=listen, mode=mode, size=size)
    with tempfile.TemporaryDirectory(prefix="boardcast-") as folder:
        Path(folder).chmod(0o711)
        settings = Path(folder, "pgbouncer.ini")
        settings.write_text(text)
        settings.chmod(0o644)
        assert PGBOUNCER, "this needs pgbouncer: `make test` installs it on Debian, as root"
        process = Account.choose().spawn([PGBOUNCER, settings], output=subprocess.DEVNULL, env={})
        try:
            yield
        finally:
            process.kill()
            process.wait()


@pytest.fixture
async def pooled(database: Database) -> AsyncIterator[str]:
    """The database's URL through a pooler."""
    listen = free_port()
    with pooling(database, listen):
        await until(lambda: not is_free(listen), timeout=10, what="pgbouncer")
        yield f"postgresql://anybody@127.0.0.1:{listen}/crm"


@pytest.mark.parametrize("service", ["feed", "api"])
async def test_a_service_refuses_to_listen_through_a_transaction_pooler(
    commands: Commands, pooled: str, service: str
) -> None:
    status, message = commands.fails(service, DATABASE_URL=pooled, JWT_SECRET=SECRET)
    assert (status, "LISTEN_DATABASE_URL" in message) == (DATABASE, True)


@pytest.mark.parametrize("service", ["feed", "api"])
async def test_a_service_works_with_a_direct_connection_for_listen(
    commands: Commands, database: Database, pooled: str, service: str
) -> None:
    await add_people(database)
    commands.env |= {"DATABASE_URL": pooled, "LISTEN_DATABASE_URL": database.url, "JWT_SECRET": SECRET}
    assert commands.output("migrate") == ""
    bearer = {"Authorization": f"Bearer {commands.output('token', 'ana')}"}
    with commands.serving(service) as running:
        port, path = (port_of(running.feed), "/sse") if service == "feed" else (port_of(running.api), "/api/events")
        stream = await EventStreamClient.connect(port, path, headers=bearer)
        cursor = (await stream.next("auth_success")).cursor
        if service == "api":
            async with httpx.AsyncClient(base_url=running.api, headers=bearer | {"If-Match": "*"}) as http:
                for number in range(10):
                    response = await http.patch("/api/opportunities/o1", json={"title": f"Title {number}"})
                    assert response.is_success, response.text
        else:
            for _ in range(10):
                await database.execute("UPDATE opportunities SET title = title || '!'")
        live = await stream.collect(10)
        resumed = await EventStreamClient.connect(port, f"{path}?since={cursor}", headers=bearer)
        assert [event.seq for event in await resumed.collect(10)] == [event.seq for event in live]
        for client in (stream, resumed):
            await client.close()
