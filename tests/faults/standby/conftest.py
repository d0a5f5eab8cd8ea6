"""A server of the test's own, with a hot standby."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded.server import EmbeddedPostgres
from tests.conftest import SERVER_SETTINGS
from tests.support.database import Database
from tests.support.services import add_people
from tests.support.standby import standby_of

SETTINGS = {name: value for name, value in SERVER_SETTINGS.items() if name not in {"fsync", "full_page_writes"}}


@pytest.fixture
def standby(own_server: EmbeddedPostgres, binaries: Path | None) -> Iterator[EmbeddedPostgres]:
    """A hot standby of the test's own server."""
    with standby_of(own_server, SETTINGS, binaries=binaries) as server:
        yield server


@pytest.fixture
async def database(own_server: EmbeddedPostgres) -> Database:
    found = Database(own_server.url(), "boardcast")
    await add_people(found)
    await found.execute(
        "INSERT INTO opportunities (id, board_id, title) SELECT 's' || n, 'b1', 'shared' FROM generate_series(0, 5) AS n"
    )
    return found
