"""The road of docs/migration.md, each step as it stands there, with an Express and Drizzle application that is in use meanwhile."""

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
from tests.db.test_adoption import APPLICATION, FILLED
from tests.support.database import Database
from tests.support.until import wait_until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "migration.md").read_text()
LEGACY = ROOT / "tests" / "clients" / "legacy.mjs"
PATIENCE = 40


def who(low: int, high: int) -> str:
    """A user whose place in every share is between these."""
    return next(f"person-{n}" for n in range(10_000) if low <= rollout_bucket(f"person-{n}") < high)


FIRST, SECOND, LAST = who(0, 1), who(1, 10), who(10, 100)


def commands_of(step: str) -> list[list[str]]:
    """The commands of a step, without their name."""
    section = PAGE.split(f"\n## {step}")[1].split("\n## ")[0]
    return [line.split() for line in re.findall(r"^    boardcast (.+)$", section, re.MULTILINE)]


def node() -> str:
    return shutil.which("node") or "node"


class Application:
    """The application, as its users have it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url, trust_env=False)
        self.writes = 0
        self._ended = threading.Event()
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
        """Somebody writes all the while; no write of his may fail."""

        def work() -> None:
            with httpx.Client(base_url=self.url, trust_env=False) as http:
                number = 0
                while not self._ended.wait(0.02):
                    number += 1
                    answer = http.patch("/opportunities/o2", json={"title": f"busy {number}"})
                    if answer.status_code != 200:
                        self.failed.append(answer.text)

        writer = threading.Thread(target=work, name="user of the application")
        writer.start()
        try:
            yield
        finally:
            self._ended.set()
            writer.join()
            self._ended.clear()
        assert self.failed == []


@pytest.fixture
def application(empty_database: Database) -> Iterator[Application]:
    with psycopg.connect(empty_database.url, autocommit=True) as conn:
        conn.execute(APPLICATION)
        conn.execute(FILLED)
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
    """The program of the documentation, for one user: what it shows, and by which way."""

    def __init__(self, said: Path) -> None:
        self._said = said

    @property
    def lines(self) -> list[str]:
        return self._said.read_text().splitlines()

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

    def on(self, status: str) -> None:
        wait_until(lambda: self.status.strip() == status, timeout=PATIENCE, what=f"{status}, but it is {self.status}")

    def shows(self, title: str) -> None:
        wait_until(lambda: self.title == title, timeout=PATIENCE, what=f"the title {title}")


@contextmanager
def opened(folder: Path, user: str, app: Application, api: str, feed: str) -> Iterator[OpenPage]:
    """Open the page of the documentation as a user."""
    match = re.search(r"^```js\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert match
    text = match[1].replace("/realtime-token", f"/realtime-token?user={user}")
    text = text.replace('"@boardcast/client"', f'"{documented.client(folder)}"')
    for port, address in ((3000, app.url), (8000, api), (8001, feed)):
        assert f"http://127.0.0.1:{port}" in text
        text = text.replace(f"http://127.0.0.1:{port}", address)
    show = 'const show = (rows) => console.log("rows " + JSON.stringify(rows));\n'
    source, said = folder / f"page-{user}.mjs", folder / f"page-{user}.out"
    source.write_text(documented.BROWSER + show + text)
    with said.open("w") as output:
        process = subprocess.Popen([node(), source], stdout=output, stderr=subprocess.STDOUT)
    try:
        yield OpenPage(said)
        assert process.poll() is None, said.read_text()
    finally:
        process.kill()
        process.wait()


def addresses(commands: Commands, database: Database) -> tuple[str, str]:
    """Where the API and the feed will be, on the application's database and with its secret."""
    commands.env |= {"DATABASE_URL": database.url, "JWT_SECRET": SECRET}
    return tuple(f"http://127.0.0.1:{commands.env[f'BOARDCAST_{name}_PORT']}" for name in ("API", "FEED"))  # type: ignore[return-value] # two


def log(database: Database, key: str) -> int:
    with psycopg.connect(database.url, autocommit=True) as conn:
        row = conn.execute(
            "SELECT count(*) FROM feed.log WHERE relation = 'opportunities' AND key = %s", (key,)
        ).fetchone()
    assert row
    return int(row[0])


def test_it_is_adopted_run_beside_and_people_are_let_in(
    application: Application, empty_database: Database, commands: Commands
) -> None:
    api, feed = addresses(commands, empty_database)
    before = [sorted(row) for row in application.rows()]

    # 1. Adopt the tables.
    with application.in_use():
        for arguments in commands_of("1. "):
            commands.output(*arguments)
    assert [sorted(row) for row in application.rows()] == before
    application.write("Adopted")
    assert log(empty_database, "o1") == application.writes
    assert commands.run("verify").returncode == 0

    with (
        application.in_use(),
        opened(commands.folder, FIRST, application, api, feed) as first,
        opened(commands.folder, SECOND, application, api, feed) as second,
        opened(commands.folder, LAST, application, api, feed) as last,
    ):
        # Pages that know of it are there before it runs: they poll.
        application.write("Polled")
        for page in (first, second, last):
            page.shows("Polled")
            assert page.status == ""

        # 2. and 3. Run it beside; nothing changes.
        with commands.serving("api"), commands.serving("feed"):
            for page in (first, second, last):
                page.on("off")
            application.write("Beside")
            for page in (first, second, last):
                page.shows("Beside")
            _let_in(commands, application, first, second, last)

    # Out again, and the application goes on.
    commands.output("migrate", "--down")
    application.write("Without boardcast")
    assert [sorted(row) for row in application.rows()] == before


def test_it_falls_back_by_itself_and_is_taken_back_by_hand(
    application: Application, empty_database: Database, commands: Commands
) -> None:
    api, feed = addresses(commands, empty_database)
    commands.output("migrate")
    with application.in_use(), opened(commands.folder, FIRST, application, api, feed) as page:
        # 5. The feed is gone: the API's stream; and back. Both are gone: as ever; and back.
        with commands.serving("api"):
            with commands.serving("feed"):
                page.on("live websocket")
            page.on("live sse")
            application.write("Without the feed")
            page.shows("Without the feed")
        page.on("offline")
        application.write("Alone")
        page.shows("Alone")
        with commands.serving("api"), commands.serving("feed"):
            page.on("live websocket")
            application.write("Together")
            page.shows("Together")
            _back(commands, application, empty_database, page)


def _let_in(commands: Commands, application: Application, first: OpenPage, second: OpenPage, last: OpenPage) -> None:
    """4. Let people in, one share after the other."""
    own, one, ten, hundred, *together = commands_of("4. ")
    commands.output(*own[:-1], LAST)
    last.on("live websocket")
    assert [first.status.strip(), second.status.strip()] == ["off", "off"]
    commands.output("flags", "clear", "realtime", "--user", LAST)
    last.on("off")
    commands.output(*one)
    first.on("live websocket")
    commands.output(*ten)
    second.on("live websocket")
    assert [first.status.strip(), last.status.strip()] == ["live websocket", "off"]
    commands.output(*hundred)
    last.on("live websocket")
    for arguments in together:
        commands.output(*arguments)
    assert len(commands.output("flags", "--json").splitlines()) == 1
    application.write("Live")
    for page in (first, second, last):
        page.shows("Live")
        assert page.status.strip() == "live websocket"


def _back(commands: Commands, application: Application, database: Database, page: OpenPage) -> None:
    """6. Back, by each of the switches, and on again."""
    for realtime, status in (
        ("sse", "live sse"),
        ("poll", "live polling"),
        ("off", "off"),
        ("websocket", "live websocket"),
    ):
        commands.output("flags", "set", "realtime", realtime)
        page.on(status)
        application.write(f"By {realtime}")
        page.shows(f"By {realtime}")

    commands.output("flags", "notify", "off")
    application.write("Without NOTIFY")
    page.shows("Without NOTIFY")
    commands.output("flags", "notify", "on")

    switched(commands, "off")
    page.on("off")
    known = log(database, "o1")
    application.write("Unlogged")
    assert log(database, "o1") == known
    page.shows("Unlogged")
    switched(commands, "on")
    page.on("live websocket")
    application.write("Logged")
    page.shows("Logged")
    assert log(database, "o1") > known


def switched(commands: Commands, to: str) -> None:
    """Capture on or off; a writer may have a table for just too long."""
    wait_until(
        lambda: commands.run("flags", "capture", to).returncode == 0, timeout=PATIENCE, what=f"capture to be {to}"
    )
