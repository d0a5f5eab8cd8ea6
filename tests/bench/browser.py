"""Chromium, and `boardcast up` with a board of 2,000 cards, for the scenarios that measure the board in a browser."""

import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from playwright.sync_api import Browser, BrowserContext, CDPSession, sync_playwright

from db.embedded.loopback import free_port
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.cli.harness import SECRET, Commands

CARDS = 2000
PHASES = ("lead", "contact", "proposal", "negotiation", "won", "lost")
SIZE = {"width": 1440, "height": 900}


@dataclass(frozen=True)
class Setup:
    browser: Browser
    database: str
    address: str

    @contextmanager
    def signed_in(self) -> Iterator[BrowserContext]:
        """A browser without a cache, signed in as an editor of the board."""
        context = self.browser.new_context(viewport=SIZE, locale="en-US", service_workers="block")  # type: ignore[arg-type]
        try:
            context.request.post(f"{self.address}/api/auth/token", data={"user": "u1"})
            yield context
        finally:
            context.close()


@contextmanager
def setup(database: str) -> Iterator[Setup]:
    _fill(database)
    environment = {
        "DATABASE_URL": database,
        "BOARDCAST_DEMO": "true",
        "JWT_SECRET": SECRET,
        "BOARDCAST_API_PORT": str(free_port()),
        "BOARDCAST_FEED_PORT": str(free_port()),
    }
    with (
        tempfile.TemporaryDirectory(prefix="boardcast-") as folder,
        Commands(Path(folder), environment).serving("up") as up,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM_FLAGS))
        yield Setup(browser, database, up.api)
        browser.close()


def _fill(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO feed.boards (id, name, phases) SELECT 'deals', 'Deals', jsonb_agg(jsonb_build_object('id', p, 'name', p))"
            " FROM unnest(%s::text[]) AS p",
            [list(PHASES)],
        )
        conn.execute("UPDATE users SET name = 'User ' || id WHERE id <= 'u20'")
        conn.execute(
            "INSERT INTO feed.board_members (board_id, user_id, role) SELECT 'deals', 'u' || n, 'editor'"
            " FROM generate_series(1, 20) AS n"
        )
        conn.execute(
            "INSERT INTO opportunities (id, board_id, title, company, contact, value, phase, position, owner_id, probability,"
            " expected_close_date) SELECT 'd' || n, 'deals', 'Deal number ' || n, 'Company ' || n %% 300, 'Somebody', n * 37.5,"
            " (%s::text[])[1 + n %% 6], 'a' || lpad(n::text, 6, '0') || 'm', 'u' || 1 + n %% 20, n %% 100,"
            " current_date + n %% 200 FROM generate_series(1, %s) AS n",
            [list(PHASES), CARDS - 1],
        )
        conn.execute(
            "INSERT INTO opportunities (id, board_id, title, phase, position) VALUES ('beacon', 'deals', 'sent 0', 'lead', 'a0')"
        )


class Changes:
    """Other programs: single-row updates at a fixed rate, every tenth of the card whose title is the time of its write.

    One writer writes all of these, in order.
    """

    WRITERS = 5

    def __init__(self, database: str, rate: int, seconds: int) -> None:
        self._database = database
        self._rate = rate
        self.count = rate * seconds
        self.last_beacon = 0
        self._begin = 0.0
        self._threads = [threading.Thread(target=self._run, args=[n], daemon=True) for n in range(self.WRITERS)]

    def start(self) -> None:
        self._begin = time.monotonic()
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @property
    def took(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begin

    def _run(self, writer: int) -> None:
        chance = random.Random(writer)
        with psycopg.connect(self._database, autocommit=True) as conn:
            for number in range(writer, self.count, self.WRITERS):
                time.sleep(max(0.0, self._begin + number / self._rate - time.monotonic()))
                self._write(conn, number, chance)

    def _write(self, conn: psycopg.Connection, number: int, chance: random.Random) -> None:
        card = f"d{chance.randrange(1, CARDS)}"
        if number % 10 == 0:
            self.last_beacon = time.time_ns() // 1_000_000
            conn.execute("UPDATE opportunities SET title = %s WHERE id = 'beacon'", [f"sent {self.last_beacon}"])
        elif number % 10 in {3, 6}:
            phase = chance.choice(PHASES)
            conn.execute("UPDATE opportunities SET phase = %s WHERE id = %s", [phase, card])
        else:
            value = chance.randrange(1, 90_000)
            conn.execute("UPDATE opportunities SET value = %s WHERE id = %s", [value, card])


def metrics(devtools: CDPSession) -> dict[str, float]:
    """Seconds of the page's main thread since it was loaded, by kind, and counters."""
    return {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
