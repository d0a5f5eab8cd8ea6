"""The browser's EventSource, without a library: it reconnects with its cursor and receives every event once."""

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page

from tests.cli.harness import Commands
from tests.support.database import Database

_FOLLOW = """
url => {
    window.versions = [];
    window.resets = 0;
    window.source = new EventSource(url, { withCredentials: true });
    source.addEventListener("opportunity_updated", (event) => versions.push(JSON.parse(event.data).version));
    source.addEventListener("reset", () => resets++);
    return new Promise((done) => source.addEventListener("auth_success", done, { once: true }));
}
"""
_WAIT = 20_000


def _write(database: str, number: int) -> None:
    with psycopg.connect(database, autocommit=True) as psql:
        for _ in range(number):
            psql.execute(
                "UPDATE opportunities SET notes = coalesce(notes, '') || 'x' "
                "WHERE id = (SELECT min(id) FROM opportunities WHERE board_id = 'vendas')"
            )


@pytest.fixture
def page_without_csp(chromium: Browser) -> Iterator[Page]:
    """A page without a content security policy, so that the test can run scripts in it."""
    context = chromium.new_context(bypass_csp=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("service", ["feed", "api"])
def test_it_receives_every_version_once_over_a_restart(
    page_without_csp: Page, commands: Commands, demo_database: Database, service: str
) -> None:
    page = page_without_csp
    with commands.serving("up") as first:
        page.goto(first.api)
        page.evaluate(
            "() => fetch('/api/auth/token', {method: 'POST', headers: {'Content-Type': 'application/json'},"
            " body: JSON.stringify({user: 'ana'})}).then((answer) => { if (!answer.ok) throw new Error(answer.status) })"
        )
        page.evaluate(_FOLLOW, f"{first.feed}/sse" if service == "feed" else f"{first.api}/api/events")
        _write(demo_database.url, 3)
        page.wait_for_function("() => versions.length === 3", timeout=_WAIT)
    with commands.serving("up"):
        _write(demo_database.url, 3)
        page.wait_for_function("() => versions.length === 6", timeout=_WAIT)
        _write(demo_database.url, 3)
        page.wait_for_function("() => versions.length === 9", timeout=_WAIT)
        versions = page.evaluate("versions")
        assert versions == list(range(versions[0], versions[0] + 9))
        assert page.evaluate("resets") == 0
