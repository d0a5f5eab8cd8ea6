"""The first page, as a sales team meets it: what psql writes, the board shows; and a cut costs nothing."""

import signal
import time

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.cli.harness import Commands, Service


def signed_in(page: Page, up: Service, who: str = "Ana Souza") -> Page:
    page.goto(up.api)
    page.get_by_role("button", name=who).click()
    expect(page.locator("#status")).to_have_text("ao vivo")
    return page


def column(page: Page, phase: str) -> Locator:
    return page.get_by_role("list", name=phase)


def a_card(psql: psycopg.Connection, phase: str = "prospecting") -> str:
    row = psql.execute(
        "SELECT title FROM opportunities WHERE board_id = 'vendas' AND phase = %s ORDER BY id LIMIT 1", [phase]
    ).fetchone()
    assert row is not None
    return str(row[0])


def test_what_psql_writes_is_seen_at_once(page: Page, up: Service, psql: psycopg.Connection) -> None:
    signed_in(page, up)
    title = a_card(psql)
    expect(column(page, "Prospecção").get_by_text(title)).to_be_visible()
    psql.execute("UPDATE opportunities SET phase = 'won' WHERE title = %s", [title])
    expect(column(page, "Ganho").get_by_text(title)).to_be_visible(timeout=2000)
    expect(column(page, "Prospecção").get_by_text(title)).to_have_count(0)
    psql.execute("DELETE FROM opportunities WHERE title = %s", [title])
    expect(page.get_by_text(title)).to_have_count(0, timeout=2000)


def test_two_people_see_each_others_moves(page: Page, up: Service, psql: psycopg.Connection) -> None:
    signed_in(page, up)
    browser = page.context.browser
    assert browser is not None
    other = browser.new_context(locale="en-US", viewport={"width": 400, "height": 800}).new_page()
    other.goto(up.api)
    other.get_by_role("button", name="Bruno Lima").click()
    title = a_card(psql)
    page.get_by_label(f"{title}: mover para").select_option(label="Proposta")
    expect(column(other, "Proposta").get_by_text(title)).to_be_visible(timeout=2000)
    other.context.close()


def test_what_was_missed_while_everything_was_down_is_made_up_for(page: Page, commands: Commands) -> None:
    with commands.serving("up") as first:
        signed_in(page, first)
        with psycopg.connect(first.database, autocommit=True) as psql:
            title = a_card(psql)
        first.stop(signal.SIGKILL)
    expect(page.locator("#status")).not_to_have_text("ao vivo")
    with commands.serving("up") as second:
        with psycopg.connect(second.database, autocommit=True) as psql:
            psql.execute("UPDATE opportunities SET phase = 'lost' WHERE title = %s", [title])
        expect(column(page, "Perdido").get_by_text(title)).to_be_visible(timeout=20_000)
        expect(page.locator("#status")).to_have_text("ao vivo", timeout=20_000)


def test_a_member_who_is_removed_loses_the_board_and_nothing_more_is_shown(
    page: Page, up: Service, psql: psycopg.Connection
) -> None:
    signed_in(page, up, "Carla Nunes")
    psql.execute("DELETE FROM board_members WHERE user_id = 'carla' AND board_id = 'vendas'")
    expect(page.locator("#boards")).not_to_contain_text("Vendas", timeout=3000)


def test_a_phase_that_the_board_does_not_know_hides_no_card(page: Page, up: Service, psql: psycopg.Connection) -> None:
    signed_in(page, up)
    title = a_card(psql)
    psql.execute("UPDATE opportunities SET phase = 'on hold' WHERE title = %s", [title])
    expect(column(page, "on hold").get_by_text(title)).to_be_visible()


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_is_cut_off_and_the_keyboard_is_enough(
    page: Page, up: Service, psql: psycopg.Connection, width: int
) -> None:
    psql.execute("UPDATE opportunities SET title = repeat('Empreendimento', 12) WHERE title = %s", [a_card(psql)])
    page.set_viewport_size({"width": width, "height": 800})
    signed_in(page, up)
    wider = "[...document.querySelectorAll('li')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    assert page.evaluate(wider) == 0
    title = a_card(psql, "qualification")
    page.get_by_label(f"{title}: mover para").focus()
    page.keyboard.press("End")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        row = psql.execute("SELECT phase FROM opportunities WHERE title = %s", [title]).fetchone()
        if row == ("lost",):
            break
    assert row == ("lost",)
