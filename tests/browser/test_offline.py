"""The board opens without a connection, and an open page survives an upgrade of the service."""

import re

from playwright.sync_api import Route, expect

from tests.browser.people import NAMES, People, live, opener

WAIT = 30_000
KEPT = """async () => {
  await navigator.serviceWorker.ready;
  const start = await caches.open("boardcast-start");
  return (await start.keys()).length > 0;
}"""


def test_the_board_opens_without_the_service(people: People) -> None:
    """Its page, its data and the code of the panel are kept; what is typed is not lost when it is back."""
    ana = people.browser(service_workers="allow")
    ana.goto(people.address)
    ana.get_by_role("button", name=NAMES["ana"]).click()
    live(ana)
    assert ana.evaluate("navigator.serviceWorker.ready.then(() => true)")
    ana.reload()  # now through the service worker, which keeps the start
    live(ana)
    ana.wait_for_function(KEPT)
    title = ana.locator("[data-open]").first.inner_text()
    manifest = ana.request.get(f"{people.address}/static/manifest.webmanifest").json()
    assert manifest["display"] == "standalone"
    ana.context.set_offline(True)
    ana.reload()
    expect(opener(ana, title)).to_be_visible(timeout=WAIT)
    expect(ana.locator("[data-tone=bad]")).to_be_visible(timeout=WAIT)
    opener(ana, title).click()  # the panel's code is kept, too
    expect(ana.get_by_role("dialog").locator("[name=title]")).to_be_visible()
    ana.get_by_role("dialog").locator("[name=title]").fill("Escrito sem conexão")
    ana.context.set_offline(False)
    live(ana, timeout=WAIT)
    expect(ana.get_by_role("dialog").locator("[name=title]")).to_have_value("Escrito sem conexão")


def test_after_signing_out_nothing_of_the_boards_is_kept(people: People) -> None:
    ana = people.browser(service_workers="allow")
    ana.goto(people.address)
    ana.get_by_role("button", name=NAMES["ana"]).click()
    live(ana)
    assert ana.evaluate("navigator.serviceWorker.ready.then(() => true)")
    ana.reload()
    live(ana)
    ana.wait_for_function(KEPT)
    ana.get_by_role("button", name="Ana Souza: menu").click()
    ana.get_by_role("menuitem", name="Sair").click()
    expect(ana.get_by_role("button", name="Bruno Lima")).to_be_visible()
    assert not ana.evaluate(KEPT)


def test_a_part_that_an_upgrade_removed_is_fetched_by_a_reload(people: People) -> None:
    """The code of the panel is gone, and the service names a newer build: what was typed is kept."""
    ana = people.browser()
    gone = re.compile(r"/assets/Panel-.*\.js")
    ana.route(gone, lambda route: route.fulfill(status=404))
    ana.goto(people.address)
    ana.get_by_role("button", name=NAMES["ana"]).click()
    live(ana)

    def newer(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "build": "00000000"})

    ana.route("**/api/config", newer)
    with ana.expect_navigation():
        opener(ana, "Contrato corporativo").click()
    ana.unroute(gone)
    ana.unroute("**/api/config")
    live(ana)
    opener(ana, "Contrato corporativo").click()
    expect(ana.get_by_role("dialog").locator("[name=title]")).to_be_visible()


def test_a_part_that_cannot_be_loaded_is_tried_again(people: People) -> None:
    ana = people.browser()
    part = re.compile(r"/assets/Panel-.*\.js")
    ana.route(part, lambda route: route.abort())
    ana.goto(people.address)
    ana.get_by_role("button", name=NAMES["ana"]).click()
    live(ana)
    opener(ana, "Contrato corporativo").click()
    expect(ana.get_by_text("O servidor não está respondendo.")).to_be_visible()
    ana.unroute(part)
    with ana.expect_navigation():
        ana.get_by_role("button", name="Tentar novamente").click()
    live(ana)
    opener(ana, "Contrato corporativo").click()
    expect(ana.get_by_role("dialog").locator("[name=title]")).to_be_visible()
