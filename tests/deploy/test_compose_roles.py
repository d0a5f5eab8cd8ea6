"""The roles of compose.yaml's services: made by deploy/postgres/roles.sh, enough for each service, and no superusers."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from db import migrate
from db.embedded.binaries import find_binaries
from db.embedded.server import EmbeddedPostgres, ephemeral_postgres
from db.privileges import check_privileges

SCRIPT = Path(__file__).parents[2] / "deploy" / "postgres" / "roles.sh"
ROLES = {"boardcast_migrate": "MIGRATE_PASSWORD", "boardcast_feed": "FEED_PASSWORD", "boardcast_api": "API_PASSWORD"}


@pytest.fixture(scope="module")
def server(binaries: Path | None, ram_disk: Path | None) -> Iterator[EmbeddedPostgres]:
    with ephemeral_postgres({"fsync": "off"}, binaries=binaries, within=ram_disk) as server:
        yield server


def make_roles(server: EmbeddedPostgres, binaries: Path | None) -> None:
    url = urlsplit(server.url())
    environment = os.environ | {
        "PATH": f"{binaries or find_binaries()}:{os.environ['PATH']}",
        "PGHOST": str(url.hostname),
        "PGPORT": str(url.port),
        "PGPASSWORD": str(url.password),
        "POSTGRES_USER": str(url.username),
        "POSTGRES_DB": url.path[1:],
        **dict.fromkeys(ROLES.values(), "it's \\ secret"),
    }
    subprocess.run([SCRIPT], env=environment, check=True, capture_output=True, text=True)


def as_role(server: EmbeddedPostgres, role: str) -> str:
    url = urlsplit(server.url())
    return urlunsplit(url._replace(netloc=f"{role}:it%27s%20%5C%20secret@{url.hostname}:{url.port}"))


async def test_each_role_may_do_what_its_service_needs(server: EmbeddedPostgres, binaries: Path | None) -> None:
    for _ in range(2):
        make_roles(server, binaries)
        migrate.upgrade(as_role(server, "boardcast_migrate"))
    for role, service in (("boardcast_feed", "boardcast feed"), ("boardcast_api", "boardcast api")):
        async with await psycopg.AsyncConnection.connect(as_role(server, role), autocommit=True) as conn:
            lacking = {check.does: check.lacking for check in await check_privileges(conn) if check.known}
            assert lacking[service] == 0
    with psycopg.connect(server.url(), autocommit=True) as conn:
        found = conn.execute(
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^(boardcast_|feed_)' AND (rolsuper OR rolcreaterole OR rolbypassrls)"
        )
        assert found.fetchall() == []
        conn.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
        conn.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier("boardcast_api")))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("DELETE FROM feed.log")
    url = urlsplit(server.url())
    with pytest.raises(psycopg.OperationalError, match="does not have CONNECT privilege"):
        psycopg.connect(urlunsplit(url._replace(netloc=f"stranger:x@{url.hostname}:{url.port}")))
