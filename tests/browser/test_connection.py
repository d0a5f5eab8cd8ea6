"""The status chip shows the real connection state, and changes made offline are not lost."""

import re

import psycopg
import pytest
from playwright.sync_api import expect

from tests.browser.people import NAMES, People, column, live, opener
from tests.support.until import wait_until

WAIT = 30_000


def phase_of(psql: psycopg.Connection, title: str) -> str:
    row = psql.execute("SELECT phase FROM opportunities WHERE title = %s", [title]).fetchone()
    assert row
    return str(row[0])


def test_the_chip_names_the_transport(people: People, psql: psycopg.Connection) -> None:
    ana = people.browser()
    ana.context.route_web_socket(re.compile("/ws$"), lambda socket: socket.close())
    ana.goto(people.address)
    ana.get_by_role("button", name=NAMES["ana"]).click()
    chip = ana.locator("[data-status]")
    expect(chip).to_contain_text("ao vivo · SSE", timeout=WAIT)
    psql.execute("UPDATE opportunities SET phase = 'lost' WHERE title = 'Contrato corporativo'")
    expect(column(ana, "lost").get_by_role("button", name="Contrato corporativo", exact=True)).to_be_visible()
    ana.context.route("**/api/events*", lambda route: route.abort())
    ana.reload()
    expect(chip).to_contain_text("atualizando a cada", timeout=WAIT)
    psql.execute("UPDATE opportunities SET phase = 'won' WHERE title = 'Contrato corporativo'")
    won = column(ana, "won").get_by_role("button", name="Contrato corporativo", exact=True)
    expect(won).to_be_visible(timeout=WAIT)


def test_the_chip_follows_the_flag(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    chip = ana.locator("[data-status]")
    title = "Contrato corporativo"

    def set_flag(realtime: str) -> None:
        psql.execute("DELETE FROM feed.flags")
        psql.execute("INSERT INTO feed.flags (flag, scope, value) VALUES ('realtime', 'everybody', %s)", [realtime])

    set_flag("sse")
    expect(chip).to_contain_text("ao vivo · SSE", timeout=WAIT)
    expect(chip).to_have_attribute("title", re.compile("conforme configurado para você"))
    set_flag("poll")
    expect(chip).to_contain_text("atualizando a cada", timeout=WAIT)
    set_flag("off")
    expect(chip).to_contain_text("tempo real desativado", timeout=WAIT)
    psql.execute("UPDATE opportunities SET phase = 'won' WHERE title = %s", [title])
    ana.evaluate("dispatchEvent(new Event('pageshow'))")  # as on a return to the tab
    expect(column(ana, "won").get_by_role("button", name=title, exact=True)).to_be_visible(timeout=WAIT)
    expect(chip).to_contain_text("tempo real desativado")
    set_flag("websocket")
    ana.evaluate("dispatchEvent(new Event('pageshow'))")
    expect(chip).to_have_attribute("data-transport", "websocket", timeout=WAIT)
    psql.execute("UPDATE opportunities SET phase = 'lost' WHERE title = %s", [title])
    expect(column(ana, "lost").get_by_role("button", name=title, exact=True)).to_be_visible(timeout=WAIT)


def test_a_move_made_offline_is_sent_after_reconnecting(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    title, other = "Contrato corporativo", "Suporte premium 24h"
    ana.context.set_offline(True)
    expect(ana.locator("[data-status]")).to_contain_text("offline", timeout=WAIT)
    opener(ana, title).focus()
    ana.keyboard.press("m")
    expect(ana.locator("[role=menuitemradio]:focus")).to_be_visible()
    ana.keyboard.press("End")
    ana.keyboard.press("Enter")
    expect(column(ana, "lost").get_by_role("button", name=title, exact=True)).to_be_visible()
    expect(ana.locator("[data-status]")).to_contain_text("offline, 1 alteração pendente")
    psql.execute("UPDATE opportunities SET phase = 'won' WHERE title = %s", [other])
    assert phase_of(psql, title) == "proposal"
    ana.context.set_offline(False)
    live(ana, timeout=WAIT)
    expect(column(ana, "won").get_by_role("button", name=other, exact=True)).to_be_visible()
    wait_until(lambda: phase_of(psql, title) == "lost", timeout=15, what="the move in the table")


@pytest.mark.parametrize("slowdown", [1, 10])
def test_an_expired_session_leads_to_the_login_and_back(
    people: People, psql: psycopg.Connection, slowdown: int
) -> None:
    ana = people.sign_in("ana")
    ana.context.new_cdp_session(ana).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    ana.context.clear_cookies()
    opener(ana, "Contrato corporativo").focus()
    ana.keyboard.press("m")
    expect(ana.locator("[role=menuitemradio]:focus")).to_be_visible()
    ana.keyboard.press("End")
    ana.keyboard.press("Enter")
    expect(ana.get_by_text("Sua sessão expirou.")).to_be_visible(timeout=WAIT)
    ana.get_by_role("button", name=NAMES["ana"]).click()
    live(ana)
    wait_until(lambda: phase_of(psql, "Contrato corporativo") == "lost", timeout=15, what="the move in the table")
