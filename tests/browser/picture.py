"""Takes the screenshots of the documentation: `python -m tests.browser.picture`, which is `make screenshots`."""

import shutil
import tempfile
from pathlib import Path

import psycopg
from playwright.sync_api import Page, expect, sync_playwright

from db.embedded.loopback import free_port
from tests.browser import dba
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.browser.people import SETTLED, People, card, column, opener
from tests.cli.harness import Commands

TARGET = Path(__file__).parents[2] / "docs" / "images"
WIDE = {"width": 1400, "height": 740}


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="boardcast-", ignore_cleanup_errors=True) as name,
        sync_playwright() as driver,
    ):
        Path(name).chmod(0o711)
        env = {"BOARDCAST_API_PORT": str(free_port()), "BOARDCAST_FEED_PORT": str(free_port())}
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM_FLAGS))
        commands = Commands(Path(name), env)
        with commands.serving("up") as up, psycopg.connect(commands.output("database"), autocommit=True) as psql:
            people = People(browser, up.api)
            boards(people, psql)
            log(people, psql)
            people.close()
        browser.close()


def boards(people: People, psql: psycopg.Connection) -> None:
    """The board just after a write in psql, while two users edit a deal; then a conflict."""
    psql.execute("UPDATE opportunities SET expected_close_date = current_date - 2 WHERE company = 'Ótica Horizonte'")
    light = people.sign_in("ana", locale="en-GB", **WIDE)
    dark = people.sign_in("ana", locale="en-GB", color_scheme="dark", **WIDE)
    portuguese = people.sign_in("ana", **WIDE)
    narrow = people.sign_in("ana", width=360, height=740, device_scale_factor=2)
    bruno, carla = people.sign_in("bruno"), people.sign_in("carla")
    for page in (bruno, carla):
        opener(page, "Contrato corporativo").click()
        page.get_by_role("dialog").locator("[name=notes]").fill("Ligar na segunda")
    pages = {"board-light": light, "board-dark": dark, "board-pt": portuguese, "board-narrow": narrow}
    for page in pages.values():
        expect(card(page, "Contrato corporativo").locator("[data-editing]")).to_be_attached()
    psql.execute("SELECT set_config('feed.actor', 'carla', false)")
    psql.execute("UPDATE opportunities SET phase = 'won' WHERE company = 'Hotel Maré Alta'")
    for name, page in pages.items():
        page.mouse.move(0, 0)
        expect(column(page, "won").get_by_text("Hotel Maré Alta")).to_be_attached()
        expect(page.locator("body > [data-face]")).to_have_count(0)  # the animation has ended, the highlight has not
        page.screenshot(path=TARGET / f"{name}.png")
    conflict(light, bruno)


def conflict(ana: Page, bruno: Page) -> None:
    """Both change the value and the probability of the same deal, and bruno saves first."""
    opener(ana, "Contrato corporativo").click()
    theirs, mine = bruno.get_by_role("dialog"), ana.get_by_role("dialog")
    for panel, value, probability in ((mine, "198000", "60"), (theirs, "176000", "65")):
        panel.locator("[name=value]").fill(value)
        panel.locator("[name=probability]").fill(probability)
    theirs.get_by_role("button", name="Salvar").click()
    expect(theirs.get_by_text("Salvo")).to_be_visible()
    mine.get_by_role("button", name="Save").click()
    expect(ana.get_by_role("heading", name="You and Bruno Lima changed the same")).to_be_visible()
    ana.evaluate(SETTLED)
    ana.screenshot(path=TARGET / "conflict.png")


def log(people: People, psql: psycopg.Connection) -> None:
    """The log after a nightly job and some manual writes, with bruno's change open."""
    pages = [dba.sign_in(people, color_scheme=scheme, **WIDE) for scheme in ("light", "dark")]
    psql.execute("SELECT set_config('feed.actor', 'billing', false), set_config('feed.origin', 'job:nightly', false)")
    psql.execute("UPDATE opportunities SET probability = probability + 5 WHERE phase = 'negotiation'")
    psql.execute("SELECT set_config('feed.actor', '', false), set_config('feed.origin', '', false)")
    psql.execute("SET application_name = 'psql'")
    psql.execute("UPDATE opportunities SET notes = 'Renovar em março' WHERE title = 'Suporte premium 24h'")
    psql.execute("DELETE FROM opportunities WHERE title = 'Bundle com meio de pagamento'")
    for page, name in zip(pages, ("dba-light", "dba-dark"), strict=True):
        expect(dba.rows(page).filter(has_text="Renovar em março")).to_be_visible()
        dba.rows(page).filter(has_text="value: 184000.00 -> 176000.00").click()
        expect(page.get_by_role("dialog").get_by_role("listitem").filter(has_text="delivered").first).to_be_visible()
        page.mouse.move(0, 0)
        page.evaluate(SETTLED)
        page.screenshot(path=TARGET / f"{name}.png")


if __name__ == "__main__":
    main()
