"""The page around the board: roles, preferences, and messages when something is wrong."""

import json
import signal

import psycopg
from playwright.sync_api import Page, Route, expect

from tests.browser.people import NAMES, People, column, drag, live
from tests.cli.harness import Commands, Service
from tests.support.database import Database
from tests.support.until import wait_until


def test_a_viewer_cannot_change_anything(people: People) -> None:
    diego = people.sign_in("diego")
    expect(diego.get_by_text("Somente leitura")).to_be_visible()
    expect(diego.get_by_role("button", name="Novo negócio")).to_have_count(0)
    expect(diego.locator("[data-card] [aria-haspopup=menu]")).to_have_count(0)
    title = diego.locator("[data-open]").first.inner_text()
    drag(diego, title, "won")
    diego.mouse.up()
    expect(column(diego, "prospecting").locator("[data-open]").first).to_have_text(title)


def test_cards_of_an_unknown_phase_are_shown(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    psql.execute("UPDATE opportunities SET phase = 'on hold' WHERE title = 'Contrato corporativo'")
    expect(column(ana, "on hold")).to_contain_text("Não é uma etapa deste quadro")
    drag(ana, "Contrato corporativo", "won")
    ana.mouse.up()
    expect(column(ana, "won").locator("[data-open]").first).to_have_text("Contrato corporativo")


def test_a_removed_member_is_led_to_another_board(people: People, psql: psycopg.Connection) -> None:
    carla = people.sign_in("carla")
    psql.execute("DELETE FROM feed.board_members WHERE user_id = 'carla' AND board_id = 'vendas'")
    expect(carla.get_by_text("Este quadro não está mais disponível para você")).to_be_visible()
    expect(carla.locator("[data-open]")).to_have_count(0)
    carla.get_by_role("button", name="Ir para Parcerias").click()
    expect(carla.locator("[data-open]").first).to_be_visible()


def test_a_deleted_board_leads_to_another_board(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    drag(ana, "Contrato corporativo", "won")
    psql.execute("DELETE FROM feed.boards WHERE id = 'vendas'")
    expect(ana.get_by_text("Este quadro não está mais disponível para você")).to_be_visible()
    ana.mouse.up()
    expect(ana.get_by_role("button", name="Ir para Parcerias")).to_be_visible()

    def other_board_is_open() -> bool:
        # dnd-kit ignores clicks for 50 ms after a drop, so the test clicks until one is handled.
        ana.evaluate("document.querySelector('[role=alert] button')?.click()")
        return ana.locator("[data-open]").first.is_visible()

    wait_until(other_board_is_open, timeout=10, what="the other board")


def test_an_empty_board_offers_to_create_the_first_deal(people: People, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    psql.execute("DELETE FROM opportunities WHERE board_id = 'vendas'")
    ana.get_by_role("button", name="Criar o primeiro negócio").click()
    expect(ana.get_by_role("dialog")).to_be_visible()


def test_language_theme_and_sign_out(people: People) -> None:
    ana = people.sign_in("ana", locale="en-GB")
    expect(ana.get_by_role("button", name="Owner: Everyone")).to_be_visible()
    ana.get_by_role("button", name="Ana Souza: menu").click()
    ana.get_by_role("menuitemradio", name="Dark").click()
    assert ana.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    ana.get_by_role("button", name="Ana Souza: menu").click()
    ana.get_by_role("menuitemradio", name="Português").click()
    ana.reload()
    expect(ana.get_by_role("button", name="Responsável: Todos")).to_be_visible()
    assert ana.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    assert ana.evaluate("document.documentElement.lang") == "pt-BR"
    ana.get_by_role("button", name="Ana Souza: menu").click()
    ana.get_by_role("menuitem", name="Sair").click()
    expect(ana.get_by_role("button", name="Bruno Lima")).to_be_visible()


def test_a_tab_with_an_old_build_offers_to_reload(people: People) -> None:
    ana = people.sign_in("ana")
    expect(ana.get_by_text("Há uma versão mais nova do quadro.")).to_have_count(0)

    def newer(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=json.dumps({**answer.json(), "build": "00000000"}))

    ana.route("**/api/config", newer)
    ana.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")
    expect(ana.get_by_role("alert")).to_contain_text("Há uma versão mais nova do quadro.")
    assert ana.evaluate("document.documentElement.scrollHeight <= innerHeight")
    ana.unroute("**/api/config")
    ana.get_by_role("button", name="Recarregar").click()
    live(ana)
    expect(ana.get_by_text("Há uma versão mais nova do quadro.")).to_have_count(0)


def test_the_page_loads_with_one_request_and_shows_a_failure(people: People, up: Service) -> None:
    ana = people.sign_in("ana")
    requested: list[str] = []
    ana.on(
        "request",
        lambda request: requested.append(request.url.removeprefix(up.api)) if "/api/" in request.url else None,
    )
    ana.reload()
    expect(ana.locator("[data-open]").first).to_be_visible()
    assert [path for path in requested if path.startswith(("/api/start", "/api/boards", "/api/opp"))] == ["/api/start"]
    ana.route(
        "**/api/start*",
        lambda route: route.fulfill(
            status=503,
            content_type="application/problem+json",
            body='{"type":"/problems/database-unavailable","title":"The database cannot be reached now"}',
        ),
    )
    ana.reload()
    expect(ana.get_by_text("Não foi possível carregar o quadro")).to_be_visible(timeout=20_000)
    ana.unroute("**/api/start*")
    ana.get_by_role("button", name="Tentar novamente").click()
    expect(ana.locator("[data-open]").first).to_be_visible()


def test_changes_during_an_outage_are_shown_after_it(page: Page, commands: Commands, demo_database: Database) -> None:
    title = "Contrato corporativo"
    with commands.serving("up") as first:
        page.goto(first.api)
        page.get_by_role("button", name=NAMES["ana"]).click()
        live(page)
        first.stop(signal.SIGKILL)
    expect(page.locator("[data-status]")).not_to_have_attribute("data-status", "live")
    with commands.serving("up"):
        with psycopg.connect(demo_database.url, autocommit=True) as psql:
            psql.execute("UPDATE opportunities SET phase = 'lost' WHERE title = %s", [title])
        expect(column(page, "lost").get_by_text(title)).to_be_visible(timeout=30_000)
        live(page, timeout=30_000)


def test_a_card_dragged_during_a_restart_is_moved(page: Page, commands: Commands, demo_database: Database) -> None:
    title = "Contrato corporativo"
    with commands.serving("up") as first:
        page.goto(first.api)
        page.get_by_role("button", name=NAMES["ana"]).click()
        live(page)
        drag(page, title, "lost")
        first.stop(signal.SIGKILL)
    expect(page.locator("[data-status]")).not_to_have_attribute("data-status", "live")
    page.mouse.up()
    expect(column(page, "lost").get_by_text(title)).to_be_visible()
    with commands.serving("up"), psycopg.connect(demo_database.url, autocommit=True) as psql:
        live(page, timeout=30_000)
        moved = "SELECT FROM opportunities WHERE title = %s AND phase = 'lost' AND last_modified_by = 'ana'"
        wait_until(
            lambda: psql.execute(moved, [title]).fetchone() is not None, timeout=20, what="the move in the table"
        )
        expect(column(page, "lost").get_by_text(title)).to_be_visible()
