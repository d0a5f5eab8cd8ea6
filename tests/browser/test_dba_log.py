"""The log on the DBA's page: every change is shown as it is written, and none is lost."""

import re
import signal

import psycopg
from playwright.sync_api import Page, expect
from psycopg.sql import SQL, Identifier

from tests.browser.dba import DEAL, rows, sign_in, wait_for_state, write, write_many
from tests.browser.people import NAMES, People
from tests.cli.harness import Commands, Service
from tests.support.database import Database


def test_a_write_of_psql_is_shown_at_once_and_can_be_opened(people: People, psql: psycopg.Connection) -> None:
    maria = sign_in(people)
    wait_for_state(maria, "live")
    write(psql, "first")
    expect(rows(maria).first).to_contain_text(f"{DEAL}notes: null -> first")
    psql.execute("UPDATE opportunities SET value = 184857.00, notes = 'second' WHERE title = %s", [DEAL])
    expect(rows(maria).first).to_contain_text("value: 184000.00 -> 184857.00")
    rows(maria).first.click()
    panel = maria.get_by_role("dialog")
    changed = panel.get_by_role("table", name="4 columns changed")
    expect(changed.get_by_role("row", name="value").locator("del")).to_have_text("000")
    expect(changed.get_by_role("row", name="value").locator("ins")).to_have_text("857")
    expect(changed.get_by_role("row", name="value")).to_have_text("value184000.00184857.00")
    expect(changed.get_by_role("row", name="notes").locator("ins")).to_have_text("second")
    steps = panel.get_by_role("listitem")
    for step in ("write", "from", "commit", "notify"):
        expect(steps.filter(has=maria.get_by_text(step, exact=True))).to_be_visible()
    address = maria.url
    maria.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()
    assert maria.url != address
    maria.goto(address)
    expect(maria.get_by_role("dialog")).to_contain_text("second")
    expect(maria.locator("[aria-current=true]")).to_contain_text("184857.00")


def test_filters_apply_to_existing_and_new_changes(people: People, psql: psycopg.Connection) -> None:
    maria = sign_in(people)
    write(psql, "needle one")
    maria.get_by_label("Search rows").fill("needle")
    expect(rows(maria)).to_have_count(1)
    wait_for_state(maria, "live")
    write(psql, "hay", "Suporte premium 24h")
    write(psql, "needle two")
    expect(rows(maria)).to_have_count(2)
    expect(rows(maria).first).to_contain_text("needle two")
    maria.get_by_label("Operation").select_option("delete")
    expect(maria.get_by_role("heading", name="No changes match these filters")).to_be_visible()
    maria.reload()
    expect(maria.get_by_label("Search rows")).to_have_value("needle")
    expect(maria.get_by_label("Operation")).to_have_value("delete")
    maria.get_by_role("button", name="Clear").click()
    expect(rows(maria).first).to_contain_text("needle two")
    wait_for_state(maria, "live")
    maria.get_by_text("More filters").click()
    maria.get_by_label("Source").select_option("unknown")
    expect(rows(maria)).to_have_count(3)
    maria.get_by_label("Since").fill("yesterday")
    expect(maria.get_by_role("alert")).to_contain_text("since")
    expect(maria.get_by_label("Since")).to_have_attribute("aria-invalid", "true")
    maria.get_by_label("Since").fill("1h")
    maria.get_by_label("Until").fill("30m")
    expect(maria.get_by_role("heading", name="No changes match these filters")).to_be_visible()
    wait_for_state(maria, "fixed")


def test_a_pause_counts_new_changes_and_loses_none(people: People, psql: psycopg.Connection) -> None:
    maria = sign_in(people)
    wait_for_state(maria, "live")
    first = rows(maria).first.inner_text()
    maria.get_by_role("button", name="Pause").click()
    write_many(psql, 3)
    expect(maria.get_by_role("button", name="3 new")).to_be_visible()
    wait_for_state(maria, "paused")
    assert rows(maria).first.inner_text() == first
    maria.get_by_role("button", name="Resume").click()
    expect(rows(maria).first).to_contain_text("many 2")
    expect(rows(maria).nth(2)).to_contain_text("many 0")
    wait_for_state(maria, "live")


def test_new_changes_do_not_move_the_scroll_position(people: People, psql: psycopg.Connection) -> None:
    write_many(psql, 120)
    maria = sign_in(people)
    wait_for_state(maria, "live")
    reading = rows(maria).filter(has_text="many 60 -> many 61")
    reading.scroll_into_view_if_needed()
    place = reading.bounding_box()
    write_many(psql, 5)
    expect(maria.get_by_role("button", name="5 new")).to_be_visible()
    assert reading.bounding_box() == place
    maria.get_by_role("button", name="Older").scroll_into_view_if_needed()
    maria.get_by_role("button", name="Older").click()
    count = maria.locator(".count")
    expect(count).not_to_have_text("100 changes")
    before = int(count.inner_text().split()[0])
    assert before > 120
    maria.get_by_role("button", name="5 new").click()
    expect(rows(maria).first).to_contain_text("many 3 -> many 4")
    expect(rows(maria).first).to_be_in_viewport()
    expect(count).to_have_text(f"{before + 5} changes")


def test_the_keyboard_operates_the_whole_page(people: People, psql: psycopg.Connection) -> None:
    write_many(psql, 5)
    maria = sign_in(people)
    wait_for_state(maria, "live")
    maria.get_by_role("button", name="Pause").focus()
    maria.keyboard.press("Tab")
    expect(rows(maria).first).to_be_focused()
    maria.keyboard.press("ArrowDown")
    maria.keyboard.press("Enter")
    panel = maria.get_by_role("dialog")
    expect(panel.get_by_role("heading", name=re.compile("Change"))).to_be_focused()
    expect(panel).to_contain_text("many 3")
    maria.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(rows(maria).nth(1)).to_be_focused()
    maria.keyboard.press("End")
    expect(rows(maria).last).to_be_focused()
    maria.get_by_role("link", name="Charts").focus()
    maria.keyboard.press("Enter")
    expect(maria.locator(".charts[aria-busy=false]")).to_be_visible()
    writes = maria.get_by_role("slider", name="Writes")
    writes.focus()
    maria.keyboard.press("Home")
    first = int(writes.get_attribute("aria-valuenow") or 0)
    assert first <= 1  # the first interval may start before the hour
    maria.keyboard.press("ArrowRight")
    expect(writes).to_have_attribute("aria-valuenow", str(first + 1))
    maria.keyboard.press("Enter")
    expect(maria.get_by_label("Since")).not_to_have_value("")
    wait_for_state(maria, "fixed")


def test_no_change_is_missing_after_a_restart_of_the_service(
    page: Page, commands: Commands, demo_database: Database
) -> None:
    with commands.serving("up") as first:
        page.goto(f"{first.api}/dba")
        page.get_by_role("button", name=NAMES["carla"]).click()
        wait_for_state(page, "live")
        with psycopg.connect(demo_database.url, autocommit=True) as psql:
            write_many(psql, 2)
            expect(rows(page).first).to_contain_text("many 0 -> many 1")
        first.stop(signal.SIGKILL)
    wait_for_state(page, "lost")
    expect(page.locator(".state")).to_have_text("Sem conexão. Tentando novamente…")
    with commands.serving("up"), psycopg.connect(demo_database.url, autocommit=True) as psql:
        write(psql, "during the outage")
        wait_for_state(page, "live")
        write(psql, "afterwards")
        expect(rows(page).first).to_contain_text("during the outage -> afterwards")
        expect(rows(page).nth(1)).to_contain_text("many 1 -> during the outage")
        expect(rows(page).nth(2)).to_contain_text("many 0 -> many 1")


def test_the_page_recovers_from_an_unavailable_database(
    people: People, up: Service, psql: psycopg.Connection, demo_database: Database
) -> None:
    maria = sign_in(people)
    wait_for_state(maria, "live")
    name = Identifier(psql.info.dbname)
    with psycopg.connect(demo_database.url, dbname="postgres", autocommit=True) as admin:
        admin.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
            [psql.info.dbname, psql.info.backend_pid],
        )
        wait_for_state(maria, "trouble")
        rows(maria).first.click()
        expect(maria.get_by_role("dialog")).to_contain_text("The change could not be loaded")
        maria.keyboard.press("Escape")
        maria.get_by_label("Actor").fill("demo")
        expect(maria.get_by_role("alert")).to_contain_text("The log could not be loaded")
        maria.get_by_role("link", name="Health unknown").click()
        expect(maria.get_by_text("The state of the feed could not be loaded")).to_be_visible()
        write(psql, "during the outage")
        admin.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    expect(maria.get_by_role("table", name="Health")).to_be_visible(timeout=30_000)
    maria.get_by_role("link", name="Log").click()
    expect(rows(maria).first).to_be_visible(timeout=30_000)
    maria.get_by_role("button", name="Clear").click()
    wait_for_state(maria, "live")
    expect(rows(maria).first).to_contain_text("during the outage")
