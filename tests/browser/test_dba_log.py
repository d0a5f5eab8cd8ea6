"""The log on the DBA's page: what is written is seen as it is written, and nothing is lost on the way."""

import re
import signal

import psycopg
from playwright.sync_api import Page, expect
from psycopg.sql import SQL, Identifier

from tests.browser.dba import DEAL, enter, rows, state, write, write_many
from tests.browser.people import NAMES, People
from tests.cli.harness import Commands, Service


def test_what_is_written_in_psql_is_seen_at_once_and_opened(people: People, psql: psycopg.Connection) -> None:
    maria = enter(people)
    state(maria, "live")
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


def test_filters_hold_for_what_there_is_and_for_what_comes(people: People, psql: psycopg.Connection) -> None:
    maria = enter(people)
    write(psql, "needle one")
    maria.get_by_label("Search in the rows").fill("needle")
    expect(rows(maria)).to_have_count(1)
    state(maria, "live")
    write(psql, "hay", "Suporte premium 24h")
    write(psql, "needle two")
    expect(rows(maria)).to_have_count(2)
    expect(rows(maria).first).to_contain_text("needle two")
    maria.get_by_label("Operation").select_option("delete")
    expect(maria.get_by_role("heading", name="No changes match these filters")).to_be_visible()
    maria.reload()
    expect(maria.get_by_label("Search in the rows")).to_have_value("needle")
    expect(maria.get_by_label("Operation")).to_have_value("delete")
    maria.get_by_role("button", name="Clear").click()
    expect(rows(maria).first).to_contain_text("needle two")
    state(maria, "live")
    maria.get_by_text("More filters").click()
    maria.get_by_label("Source").select_option("unknown")
    expect(rows(maria)).to_have_count(3)
    maria.get_by_label("Since").fill("teatime")
    expect(maria.get_by_role("alert")).to_contain_text("since")
    expect(maria.get_by_label("Since")).to_have_attribute("aria-invalid", "true")
    maria.get_by_label("Since").fill("1h")
    maria.get_by_label("Until").fill("30m")
    expect(maria.get_by_role("heading", name="No changes match these filters")).to_be_visible()
    state(maria, "fixed")


def test_a_pause_counts_what_waits_and_loses_nothing(people: People, psql: psycopg.Connection) -> None:
    maria = enter(people)
    state(maria, "live")
    first = rows(maria).first.inner_text()
    maria.get_by_role("button", name="Pause").click()
    write_many(psql, 3)
    expect(maria.get_by_role("button", name="3 new")).to_be_visible()
    state(maria, "paused")
    assert rows(maria).first.inner_text() == first
    maria.get_by_role("button", name="Resume").click()
    expect(rows(maria).first).to_contain_text("many 2")
    expect(rows(maria).nth(2)).to_contain_text("many 0")
    state(maria, "live")


def test_who_reads_further_down_keeps_his_place(people: People, psql: psycopg.Connection) -> None:
    write_many(psql, 120)
    maria = enter(people)
    state(maria, "live")
    reading = rows(maria).filter(has_text="many 60 -> many 61")
    reading.scroll_into_view_if_needed()
    place = reading.bounding_box()
    write_many(psql, 5)
    expect(maria.get_by_role("button", name="5 new")).to_be_visible()
    assert reading.bounding_box() == place
    maria.get_by_role("button", name="Older").scroll_into_view_if_needed()
    maria.get_by_role("button", name="Older").click()
    expect(maria.locator(".count")).to_have_text("154 changes")
    maria.get_by_role("button", name="5 new").click()
    expect(rows(maria).first).to_contain_text("many 3 -> many 4")
    expect(rows(maria).first).to_be_in_viewport()
    expect(maria.locator(".count")).to_have_text("159 changes")


def test_all_of_it_by_keys_alone(people: People, psql: psycopg.Connection) -> None:
    write_many(psql, 5)
    maria = enter(people)
    state(maria, "live")
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
    begin = int(writes.get_attribute("aria-valuenow") or 0)
    assert begin <= 1  # the first piece may have begun before the hour
    maria.keyboard.press("ArrowRight")
    expect(writes).to_have_attribute("aria-valuenow", str(begin + 1))
    maria.keyboard.press("Enter")
    expect(maria.get_by_label("Since")).not_to_have_value("")
    state(maria, "fixed")


def test_the_service_goes_and_comes_back_and_nothing_is_missing(page: Page, commands: Commands) -> None:
    with commands.serving("up") as first:
        page.goto(f"{first.api}/dba")
        page.get_by_role("button", name=NAMES["carla"]).click()
        state(page, "live")
        with psycopg.connect(first.database, autocommit=True) as psql:
            write_many(psql, 2)
            expect(rows(page).first).to_contain_text("many 0 -> many 1")
        first.stop(signal.SIGKILL)
    state(page, "lost")
    expect(page.locator(".state")).to_have_text("Sem conexão. Tentando novamente…")
    with commands.serving("up") as second, psycopg.connect(second.database, autocommit=True) as psql:
        write(psql, "while it was away")
        state(page, "live")
        write(psql, "after it")
        expect(rows(page).first).to_contain_text("while it was away -> after it")
        expect(rows(page).nth(1)).to_contain_text("many 1 -> while it was away")
        expect(rows(page).nth(2)).to_contain_text("many 0 -> many 1")


def test_the_database_goes_and_comes_back(people: People, up: Service, psql: psycopg.Connection) -> None:
    maria = enter(people)
    state(maria, "live")
    name = Identifier(psql.info.dbname)
    with psycopg.connect(up.database, dbname="postgres", autocommit=True) as admin:
        admin.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
            [psql.info.dbname, psql.info.backend_pid],
        )
        state(maria, "trouble")
        rows(maria).first.click()
        expect(maria.get_by_role("dialog")).to_contain_text("The change could not be loaded")
        maria.keyboard.press("Escape")
        maria.get_by_label("Actor").fill("demo")
        expect(maria.get_by_role("alert")).to_contain_text("The log could not be loaded")
        maria.get_by_role("link", name="Health unknown").click()
        expect(maria.get_by_text("The state of the feed could not be loaded")).to_be_visible()
        write(psql, "while it was away")
        admin.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
    expect(maria.get_by_role("table", name="Health")).to_be_visible(timeout=30_000)
    maria.get_by_role("link", name="Log").click()
    expect(rows(maria).first).to_be_visible(timeout=30_000)
    maria.get_by_role("button", name="Clear").click()
    state(maria, "live")
    expect(rows(maria).first).to_contain_text("while it was away")
