"""Headless Chromium, and the whole of boardcast started by its own command.

The sync driver leaves an event loop running in this thread, so these tests have a pytest process of their own.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from api import pages
from db.embedded.loopback import free_port
from tests.browser.people import People
from tests.cli.harness import Commands, Service

QUIET = (
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
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@contextmanager
def _folder(within: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="boardcast-", dir=within, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # the embedded server's account has to pass through
        yield folder


def _ports() -> dict[str, str]:
    return {"BOARDCAST_API_PORT": str(free_port()), "BOARDCAST_FEED_PORT": str(free_port())}


@pytest.fixture(scope="session")
def started_once(memory: Path | None) -> Iterator[Path]:
    """A folder in which `boardcast up` has run: to make its data takes longer than most of these tests."""
    with _folder(memory) as folder:
        with Commands(folder, _ports()).serving("up"):
            pass
        yield folder


@pytest.fixture
def commands(started_once: Path, memory: Path | None) -> Iterator[Commands]:
    """Commands in a copy of that folder, on ports of their own, which they keep over a restart."""
    with _folder(memory) as folder:
        subprocess.run(["cp", "-a", f"{started_once}/.", folder], check=True)  # noqa: S607 - whose file is whose is kept
        yield Commands(folder, _ports())


@pytest.fixture
def up(commands: Commands) -> Iterator[Service]:
    """Everything, with the demo's data."""
    with commands.serving("up") as service:
        yield service


@pytest.fixture
def psql(up: Service) -> Iterator[psycopg.Connection]:
    """A program of somebody else's that writes to the tables."""
    with psycopg.connect(up.database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(locale="pt-BR", viewport={"width": 1400, "height": 900})
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
    """Who works on the board, each with a browser of his own; no page of theirs may have failed or been refused anything."""
    people = People(chromium, up.api)
    yield people
    people.leave()
    assert people.faults == []
