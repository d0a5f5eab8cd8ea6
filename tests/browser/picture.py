"""Takes the README's picture anew: `python -m tests.browser.picture`. The board as it is just after a write in psql."""

import shutil
import tempfile
from pathlib import Path

import psycopg
from playwright.sync_api import expect, sync_playwright

from db.loopback import free_port
from tests.browser.conftest import _QUIET
from tests.cli.harness import Commands

TARGET = Path(__file__).parents[2] / "docs" / "board.png"


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="boardcast-", ignore_cleanup_errors=True) as name,
        sync_playwright() as driver,
    ):
        Path(name).chmod(0o711)
        env = {"BOARDCAST_API_PORT": str(free_port()), "BOARDCAST_FEED_PORT": str(free_port())}
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(_QUIET))
        page = browser.new_page(locale="pt-BR", viewport={"width": 1356, "height": 680})
        with Commands(Path(name), env).serving("up") as up, psycopg.connect(up.database, autocommit=True) as psql:
            page.goto(up.api)
            page.get_by_role("button", name="Ana Souza").click()
            expect(page.locator("#status")).to_have_text("ao vivo")
            psql.execute("UPDATE opportunities SET phase = 'won' WHERE company = 'Hotel Maré Alta'")
            expect(page.get_by_role("list", name="Ganho").get_by_text("Hotel Maré Alta")).to_be_visible()
            page.screenshot(path=TARGET)
        browser.close()


if __name__ == "__main__":
    main()
