"""web/client in several tabs of one browser: they share one connection, and each tab receives every event once."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.cli.harness import Service

ROOT = Path(__file__).parents[2]
WAIT = 20_000
CARD = "SELECT min(id) FROM opportunities WHERE board_id = 'vendas'"
WRITE = """
UPDATE opportunities SET notes = coalesce(notes, '') || 'x'
WHERE id = (SELECT min(id) FROM opportunities WHERE board_id = 'vendas') RETURNING version_number
"""
START = """
async ([address, share]) => {
    const { Feed } = await import(address);
    const config = await (await fetch("/api/config")).json();
    const { lastSync } = await (await fetch("/api/sync/opportunities")).json();
    window.versions = [];
    window.statuses = [];
    window.feed = new Feed({ feed: config.feedUrl, share, timing: { heartbeat: 2000 } });
    feed.onStatus((status) => statuses.push(status));
    feed.onDelivery(({ messages }) => {
        for (const message of messages) {
            if (message.type === "opportunity_updated") versions.push(message.version);
            if (message.type === "state") versions.push(...message.opportunities.map((card) => card.version_number));
        }
    });
    await feed.follow(lastSync);
}
"""


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of the client, bundled."""
    target = tmp_path_factory.mktemp("client") / "client.mjs"
    esbuild = ROOT / "node_modules" / ".bin" / "esbuild"
    source = ROOT / "web" / "client" / "src" / "index.ts"
    command: list[str | Path] = [esbuild, source, "--bundle", "--format=esm", "--log-level=warning"]
    subprocess.run([*command, f"--outfile={target}"], check=True)
    return target.read_text()


class Tabs:
    """Pages of the API's origin that run only the client.

    They must be served by the API: Chromium does not treat an intercepted page as local and blocks its requests to local services.
    """

    def __init__(self, context: BrowserContext, up: Service, client: str) -> None:
        self._context = context
        self._up = up
        context.route("**/client.mjs", lambda route: route.fulfill(content_type="text/javascript", body=client))
        page = self.blank()
        page.evaluate(
            "() => fetch('/api/auth/token', {method: 'POST', headers: {'Content-Type': 'application/json'},"
            " body: JSON.stringify({user: 'ana'})})"
        )
        page.close()

    def blank(self) -> Page:
        page = self._context.new_page()
        page.goto(f"{self._up.api}/healthz")
        return page

    def open(self, share: str | bool = "ana") -> Page:
        """A tab that follows the feed."""
        page = self.blank()
        page.evaluate(START, [f"{self._up.api}/client.mjs", share])
        page.wait_for_function("() => feed.status.state === 'live'", timeout=WAIT)
        return page


@pytest.fixture
def tabs(chromium: Browser, up: Service, client: str) -> Iterator[Tabs]:
    context = chromium.new_context(bypass_csp=True)
    yield Tabs(context, up, client)
    context.close()


def connections(up: Service, page: Page) -> int:
    """The number of streams of the feed service."""
    answer = page.request.get(f"{up.feed}/readyz")
    number: int = answer.json()["connections"]
    return number


def write(psql: psycopg.Connection, number: int) -> int:
    """Change a card `number` times; return its version."""
    version = 0
    for _ in range(number):
        row = psql.execute(WRITE).fetchone()
        assert row
        version = row[0]
    return version


def wait_for_version(page: Page, version: int) -> list[int]:
    """Wait until a tab has received a version; return all versions it has received."""
    page.wait_for_function("(version) => versions.includes(version)", arg=version, timeout=WAIT)
    received: list[int] = page.evaluate("versions")
    return received


def is_leader(page: Page) -> bool:
    found: bool = page.evaluate("feed.status.leader")
    return found


def editors(psql: psycopg.Connection) -> list[str]:
    rows = psql.execute("SELECT user_id FROM feed.user_presence WHERE action = 'editing'").fetchall()
    return [user for (user,) in rows]


def eventually(page: Page, current: Callable[[], object], expected: object) -> None:
    """Wait until `current()` returns what is expected."""
    deadline = time.monotonic() + WAIT / 1000
    while current() != expected and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert current() == expected


def test_tabs_share_one_connection_and_receive_the_same_events(
    tabs: Tabs, up: Service, psql: psycopg.Connection
) -> None:
    first, second, third = tabs.open(), tabs.open(), tabs.open()
    assert [is_leader(page) for page in (first, second, third)] == [True, False, False]
    assert connections(up, first) == 1
    last = write(psql, 5)
    for page in (first, second, third):
        assert wait_for_version(page, last) == list(range(last - 4, last + 1))
        assert page.evaluate("feed.status.transport") == "websocket"
    cursors = {page.evaluate("feed.cursor") for page in (first, second, third)}
    assert len(cursors) == 1


def test_tabs_that_do_not_share_have_their_own_connections(tabs: Tabs, up: Service, psql: psycopg.Connection) -> None:
    first, second = tabs.open(share=False), tabs.open(share=False)
    assert is_leader(first)
    assert is_leader(second)
    assert connections(up, first) == 2


def test_the_next_leader_continues_from_the_cursor_of_the_last(
    tabs: Tabs, up: Service, psql: psycopg.Connection
) -> None:
    first, second, third = tabs.open(), tabs.open(), tabs.open()
    begin = write(psql, 3)
    wait_for_version(third, begin)
    first.close()
    last = write(psql, 3)
    for page in (second, third):
        assert wait_for_version(page, last) == list(range(begin - 2, last + 1))
    second.wait_for_function("() => feed.status.leader", timeout=WAIT)
    assert not is_leader(third)
    second.evaluate("feed.stop()")
    third.wait_for_function("() => feed.status.leader && feed.status.state === 'live'", timeout=WAIT)
    again = write(psql, 3)
    assert wait_for_version(third, again) == list(range(begin - 2, again + 1))
    eventually(third, lambda: connections(up, third), 1)


def test_the_user_is_editing_while_any_tab_is(tabs: Tabs, up: Service, psql: psycopg.Connection) -> None:
    first, second, third = tabs.open(), tabs.open(), tabs.open()
    row = psql.execute(CARD).fetchone()
    assert row
    edit = "(opportunityId) => feed.send({ type: 'user_editing', opportunityId, baseVersion: 1 })"
    second.evaluate(edit, row[0])
    third.evaluate(edit, row[0])
    eventually(first, lambda: editors(psql), ["ana"])
    first.wait_for_function("(id) => feed.presence.get(id)?.[0].userId === 'ana'", arg=row[0], timeout=WAIT)
    third.wait_for_function("(id) => feed.presence.get(id)?.[0].baseVersion === 1", arg=row[0], timeout=WAIT)
    first.close()  # the leader: the next leader sends the presence again
    second.wait_for_function("() => feed.status.leader && feed.status.state === 'live'", timeout=WAIT)
    eventually(second, lambda: editors(psql), ["ana"])
    third.close()
    second.wait_for_function("async () => (await navigator.locks.query()).held.length === 2", timeout=WAIT)
    assert editors(psql) == ["ana"]
    fourth = tabs.open()
    second.close()  # the last tab that edits
    eventually(fourth, lambda: editors(psql), [])


def test_a_frozen_leader_is_replaced(tabs: Tabs, up: Service, psql: psycopg.Connection) -> None:
    first, second = tabs.open(), tabs.open()
    first.evaluate("setTimeout(() => { const end = Date.now() + 8000; while (Date.now() < end); })")
    second.wait_for_function("() => feed.status.leader && feed.status.state === 'live'", timeout=WAIT)
    last = write(psql, 3)
    assert wait_for_version(second, last) == list(range(last - 2, last + 1))
    first.wait_for_function("() => !feed.status.leader && feed.status.state === 'live'", timeout=WAIT)
    wait_for_version(first, last)
    eventually(second, lambda: connections(up, second), 1)


def test_it_reports_a_lost_network_and_recovers(tabs: Tabs, up: Service, psql: psycopg.Connection) -> None:
    page = tabs.open(share=False)
    begin = write(psql, 1)
    wait_for_version(page, begin)
    page.context.set_offline(True)
    page.wait_for_function("() => feed.status.state === 'offline'", timeout=WAIT)
    last = write(psql, 5)
    page.context.set_offline(False)
    assert wait_for_version(page, last) == list(range(begin, last + 1))
    page.wait_for_function("() => feed.status.state === 'live'", timeout=WAIT)
