"""Headless Chromium, and boardcast started with its own command.

The sync driver leaves an event loop running in this thread, so these tests need their own pytest process.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from api import pages
from db.embedded.loopback import free_port
from tests.browser.people import People
from tests.cli.harness import SECRET, Commands, Service
from tests.support.database import Database

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "these tests need Chromium: `make test` installs it on Debian, as root"
    assert pages.ENTRY.exists(), "these tests need the board: `make setup` builds it"
    expect.set_options(timeout=15_000)  # milliseconds; other tests run on the same cores
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


def _ports() -> dict[str, str]:
    return {"BOARDCAST_API_PORT": str(free_port()), "BOARDCAST_FEED_PORT": str(free_port())}


@pytest.fixture
def commands(demo_database: Database) -> Iterator[Commands]:
    """Commands on a database with the demo's data, and on ports that they keep over a restart."""
    env = {"DATABASE_URL": demo_database.url, "BOARDCAST_DEMO": "true", "JWT_SECRET": SECRET}
    with tempfile.TemporaryDirectory(prefix="boardcast-") as folder:
        yield Commands(Path(folder), env | _ports())


@pytest.fixture
def up(commands: Commands) -> Iterator[Service]:
    """All services, with the data of the demo."""
    with commands.serving("up") as service:
        yield service


@pytest.fixture
def psql(up: Service, demo_database: Database) -> Iterator[psycopg.Connection]:
    """A connection of another program that writes to the tables."""
    with psycopg.connect(demo_database.url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="pt-BR", viewport={"width": 1400, "height": 900}, service_workers="block")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page whose scripts must not fail."""
    page = context.new_page()

    def fail(error: object) -> None:
        raise AssertionError(error)

    page.on("pageerror", fail)
    return page


@pytest.fixture
def people(chromium: Browser, up: Service) -> Iterator[People]:
    """Users of the board, each with their own browser; none of their pages may have script errors or policy violations."""
    people = People(chromium, up.api)
    yield people
    people.close()
    assert people.errors == []
