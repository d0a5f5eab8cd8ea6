import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from db.embedded.server import EmbeddedPostgres
from tests.cli.conftest import commands, production
from tests.cli.harness import SECRET, Commands
from tests.deploy.gateway import Gateway
from tests.deploy.proxies import PROXIES, Proxy
from tests.support.database import Database, cloned
from tests.support.services import PEOPLE_SQL

__all__ = ["commands", "gateway", "production", "shared_gateway"]


@pytest.fixture(params=PROXIES, ids=lambda proxy: proxy.__name__)
def gateway(request: pytest.FixtureRequest, production: Commands, database: Database) -> Iterator[Gateway]:
    """Two feeds and two APIs behind each proxy, for a test that stops some of them."""
    proxy: Proxy = request.param
    gateway = Gateway(production, proxy, database)
    with gateway.running():
        yield gateway


@pytest.fixture(scope="module", params=PROXIES, ids=lambda proxy: proxy.__name__)
def shared_gateway(request: pytest.FixtureRequest, server: EmbeddedPostgres, template: str) -> Iterator[Gateway]:
    """The same with users and boards, for tests that leave it as it was but for the contents of cards."""
    with cloned(server, template) as database, tempfile.TemporaryDirectory(prefix="boardcast-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the workers of nginx have an account of their own
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(PEOPLE_SQL)
        gateway = Gateway(
            Commands(folder, {"DATABASE_URL": database.url, "JWT_SECRET": SECRET}), request.param, database
        )
        with gateway.running():
            yield gateway
