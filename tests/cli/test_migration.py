"""Follows each step of docs/migration.md with an Express and Drizzle application that is in use all the time."""

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from feed.delivery.flags import rollout_bucket
from tests.cli.harness import SECRET, Commands
from tests.clients import documented
from tests.db.test_adoption import APPLICATION, ROWS
from tests.support.database import Database
from tests.support.until import wait_until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "migration.md").read_text()
LEGACY = ROOT / "tests" / "clients" / "legacy.mjs"
TIMEOUT = 40


def user_in_buckets(low: int, high: int) -> str:
    """Return a user whose rollout bucket is in this range."""
    return next(f"person-{n}" for n in range(10_000) if low <= rollout_bucket(f"person-{n}") < high)


FIRST, SECOND, LAST = user_in_buckets(0, 1), user_in_buckets(1, 10), user_in_buckets(10, 100)


def commands_of(step: str) -> list[list[str]]:
    """Return the arguments of each command in a step."""
    section = PAGE.split(f"\n## {step}")[1].split("\n## ")[0]
    return [line.split() for line in re.findall(r"^    boardcast (.+)$", section, re.MULTILINE)]


def node() -> str:
    return shutil.which("node") or "node"


class Application:
    """The application as its users see it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url, trust_env=False)
        self.writes = 0
        self._stop = threading.Event()
        self._writer: threading.Thread | None = None
        self.failed: list[str] = []

    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.http.get("/opportunities").raise_for_status().json()
        return rows

    def write(self, title: str) -> None:
        self.http.patch("/opportunities/o1", json={"title": title}).raise_for_status()
        self.writes += 1

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Write to the application while the block runs; no write may fail."""

        def work() -> None:
            with httpx.Client(base_url=self.url, trust_env=False) as http:
                number = 0
                while not self._stop.wait(0.02):
                    number += 1
                    response = http.patch("/opportunities/o2", json={"title": f"busy {number}"})
                    if response.status_code != 200:
                        self.failed.append(response.text)

        writer = threading.Thread(target=work, name="user of the application")
        writer.start()
        try:
            yield
        finally:
            self._stop.set()
            writer.join()
            self._stop.clear()
        assert self.failed == []


@pytest.fixture
def application(empty_database: Database) -> Iterator[Application]:
    with psycopg.connect(empty_database.url, autocommit=True) as conn:
        conn.execute(APPLICATION)
        conn.execute(ROWS)
        for user in (FIRST, SECOND, LAST):
            conn.execute("INSERT INTO users (id, name) VALUES (%s, %s)", (user, user))
    env = {"DATABASE_URL": empty_database.url, "JWT_SECRET": SECRET, "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen([node(), LEGACY], stdout=subprocess.PIPE, text=True, env=env)
    try:
        assert process.stdout is not None
        application = Application(int(process.stdout.readline()))
        yield application
        application.http.close()
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


class OpenPage:
    """The documented program, opened for one user: its title and connection status."""

    def __init__(self, output: Path) -> None:
        self._output = output

    @property
    def lines(self) -> list[str]:
        return self._output.read_text().splitlines()

    @property
    def status(self) -> str:
        return next((line.removeprefix("status ") for line in reversed(self.lines) if line.startswith("status ")), "")

    @property
    def title(self) -> str:
        shown = [line for line in self.lines if line.startswith("rows ")]
        rows = json.loads(shown[-1].removeprefix("rows ")) if shown else []
        return next((row["title"] for row in rows if row["id"] == "o1"), "")

    @property
    def loads(self) -> int:
        return sum(line.startswith("rows ") for line in self.lines)

    def wait_for_status(self, status: str) -> None:
        wait_until(lambda: self.status.strip() == status, timeout=TIMEOUT, what=f"{status}, but it is {self.status}")

    def wait_for_title(self, title: str) -> None:
        wait_until(lambda: self.title == title, timeout=TIMEOUT, what=f"the title {title}")


@contextmanager
def open_page(folder: Path, user: str, app: Application, api: str, feed: str) -> Iterator[OpenPage]:
    """Run the documented program as a user."""
    match = re.search(r"^```js\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert match
    text = match[1].replace("/realtime-token", f"/realtime-token?user={user}")
    text = text.replace('"@boardcast/client"', f'"{documented.client(folder)}"')
    for port, address in ((3000, app.url), (8000, api), (8001, feed)):
        assert f"http://127.0.0.1:{port}" in text
        text = text.replace(f"http://127.0.0.1:{port}", address)
    show = 'const show = (rows) => console.log("rows " + JSON.stringify(rows));\n'
    source, output = folder / f"page-{user}.mjs", folder / f"page-{user}.out"
    source.write_text(documented.BROWSER + show + text)
    with output.open("w") as stdout:
        process = subprocess.Popen([node(), source], stdout=stdout, stderr=subprocess.STDOUT)
    try:
        yield OpenPage(output)
        assert process.poll() is None, output.read_text()
    finally:
        process.kill()
        process.wait()


def addresses(commands: Commands, database: Database) -> tuple[str, str]:
    """Configure the services for the application's database and secret; return the URLs of API and feed."""
    commands.env |= {"DATABASE_URL": database.url, "JWT_SECRET": SECRET}
    return tuple(f"http://127.0.0.1:{commands.env[f'BOARDCAST_{name}_PORT']}" for name in ("API", "FEED"))  # type: ignore[return-value] # two


def count_logged(database: Database, key: str) -> int:
    with psycopg.connect(database.url, autocommit=True) as conn:
        row = conn.execute(
            "SELECT count(*) FROM feed.log WHERE relation = 'opportunities' AND key = %s", (key,)
        ).fetchone()
    assert row
    return int(row[0])


def test_adoption_and_rollout(application: Application, empty_database: Database, commands: Commands) -> None:
    api, feed = addresses(commands, empty_database)
    before = [sorted(row) for row in application.rows()]

    # 1. Adopt the tables.
    with application.in_use():
        for arguments in commands_of("1. "):
            commands.output(*arguments)
    assert [sorted(row) for row in application.rows()] == before
    application.write("Adopted")
    assert count_logged(empty_database, "o1") == application.writes
    assert commands.run("verify").returncode == 0

    with (
        application.in_use(),
        open_page(commands.folder, FIRST, application, api, feed) as first,
        open_page(commands.folder, SECOND, application, api, feed) as second,
        open_page(commands.folder, LAST, application, api, feed) as last,
    ):
        # The new pages are deployed before the services run: they poll.
        application.write("Polled")
        for page in (first, second, last):
            page.wait_for_title("Polled")
            assert page.status == ""

        # 2. and 3. Run the services; nothing changes for users.
        with commands.serving("api"), commands.serving("feed"):
            for page in (first, second, last):
                page.wait_for_status("off")
            application.write("Beside")
            for page in (first, second, last):
                page.wait_for_title("Beside")
            _roll_out(commands, application, first, second, last)

    # Remove it; the application keeps working.
    commands.output("migrate", "--down")
    application.write("Without boardcast")
    assert [sorted(row) for row in application.rows()] == before


def test_fallback_and_rollback(application: Application, empty_database: Database, commands: Commands) -> None:
    api, feed = addresses(commands, empty_database)
    commands.output("migrate")
    with application.in_use(), open_page(commands.folder, FIRST, application, api, feed) as page:
        # 5. Without the feed, pages use the API's stream; without both, they work as before. Each time they return.
        with commands.serving("api"):
            with commands.serving("feed"):
                page.wait_for_status("live websocket")
            page.wait_for_status("live sse")
            application.write("Without the feed")
            page.wait_for_title("Without the feed")
        page.wait_for_status("offline")
        application.write("Alone")
        page.wait_for_title("Alone")
        with commands.serving("api"), commands.serving("feed"):
            page.wait_for_status("live websocket")
            application.write("Together")
            page.wait_for_title("Together")
            _roll_back(commands, application, empty_database, page)


def _roll_out(commands: Commands, application: Application, first: OpenPage, second: OpenPage, last: OpenPage) -> None:
    """4. Roll out by increasing percentages."""
    own, one, ten, hundred, *together = commands_of("4. ")
    commands.output(*own[:-1], LAST)
    last.wait_for_status("live websocket")
    assert [first.status.strip(), second.status.strip()] == ["off", "off"]
    commands.output("flags", "clear", "realtime", "--user", LAST)
    last.wait_for_status("off")
    commands.output(*one)
    first.wait_for_status("live websocket")
    commands.output(*ten)
    second.wait_for_status("live websocket")
    assert [first.status.strip(), last.status.strip()] == ["live websocket", "off"]
    commands.output(*hundred)
    last.wait_for_status("live websocket")
    for arguments in together:
        commands.output(*arguments)
    assert len(commands.output("flags", "--json").splitlines()) == 1
    application.write("Live")
    for page in (first, second, last):
        page.wait_for_title("Live")
        assert page.status.strip() == "live websocket"


def _roll_back(commands: Commands, application: Application, database: Database, page: OpenPage) -> None:
    """6. Roll back with each of the flags, and enable it again."""
    for realtime, status in (
        ("sse", "live sse"),
        ("poll", "live polling"),
        ("off", "off"),
        ("websocket", "live websocket"),
    ):
        commands.output("flags", "set", "realtime", realtime)
        page.wait_for_status(status)
        application.write(f"By {realtime}")
        page.wait_for_title(f"By {realtime}")

    commands.output("flags", "notify", "off")
    application.write("Without NOTIFY")
    page.wait_for_title("Without NOTIFY")
    commands.output("flags", "notify", "on")

    set_capture(commands, "off")
    page.wait_for_status("off")
    before = count_logged(database, "o1")
    application.write("Unlogged")
    assert count_logged(database, "o1") == before
    page.wait_for_title("Unlogged")
    set_capture(commands, "on")
    page.wait_for_status("live websocket")
    application.write("Logged")
    page.wait_for_title("Logged")
    assert count_logged(database, "o1") > before


def set_capture(commands: Commands, to: str) -> None:
    """Turn capture on or off; retry if a writer holds a lock for too long."""
    wait_until(
        lambda: commands.run("flags", "capture", to).returncode == 0, timeout=TIMEOUT, what=f"capture to be {to}"
    )
