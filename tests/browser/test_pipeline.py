"""Won and lost deals, totals, forecast, and flow in the browser."""

import re

import psycopg
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.people import People, card, opener

TITLE = "Implantação em 3 filiais"


def total(page: Page, name: str) -> Locator:
    return page.locator(f'[data-total="{name}"]')


def test_a_lost_deal_has_a_reason_and_leaves_the_open_totals_for_everybody(
    people: People, psql: psycopg.Connection
) -> None:
    """The whole of it by keyboard."""
    ana, bruno, diego = people.sign_in("ana"), people.sign_in("bruno"), people.sign_in("diego", locale="en-US")
    before = total(bruno, "totalOpen").inner_text()
    opener(ana, TITLE).focus()
    ana.keyboard.press("m")
    ana.keyboard.press("p")  # Proposta, then Perdido
    while ana.evaluate("document.activeElement.textContent") != "Perdido":
        ana.keyboard.press("ArrowDown")
    ana.keyboard.press("Enter")
    asked = ana.get_by_role("dialog", name=re.compile("foi perdido"))
    expect(asked.get_by_role("button", name="Preço")).to_be_focused()
    expect(card(bruno, TITLE)).to_contain_text("sem motivo")
    assert violations(ana) == []
    ana.keyboard.press("Tab")
    ana.keyboard.press("Enter")
    expect(asked).to_have_count(0)
    for page, text in ((ana, "Perdido em"), (bruno, "Perdido em"), (diego, "Lost ")):
        expect(card(page, TITLE)).to_contain_text(text)
        expect(card(page, TITLE)).to_contain_text("Momento")
    expect(total(bruno, "totalOpen")).not_to_have_text(before)

    # Another program closes it otherwise, and reopens it: nothing of its first end is left.
    psql.execute("UPDATE opportunities SET phase = 'won' WHERE title = %s", [TITLE])
    expect(card(bruno, TITLE)).to_contain_text("Ganho em")
    expect(total(bruno, "totalWonMonth")).to_contain_text("180.700")
    psql.execute("UPDATE opportunities SET phase = 'proposal' WHERE title = %s", [TITLE])
    expect(total(bruno, "totalOpen")).to_have_text(before)
    expect(card(bruno, TITLE)).not_to_contain_text("Ganho")
    psql.execute("UPDATE opportunities SET phase = 'lost' WHERE title = %s", [TITLE])
    expect(card(bruno, TITLE)).to_contain_text("sem motivo")


def test_the_flow_opens_into_its_deals_on_a_phone(people: People, psql: psycopg.Connection) -> None:
    psql.execute("UPDATE opportunities SET phase = 'negotiation' WHERE title = %s", [TITLE])
    diego = people.sign_in("diego", width=360, height=780, has_touch=True)
    diego.get_by_role("button", name="Fluxo").tap()
    flow = diego.get_by_role("dialog", name="Fluxo")
    flow.get_by_role("button", name=re.compile("^Proposta → Negociação")).tap()
    deals = flow.get_by_role("region", name=re.compile("^Negócios: Proposta → Negociação"))
    expect(deals).to_be_focused()
    assert violations(diego) == []
    assert diego.evaluate("document.documentElement.scrollWidth") == 360
    deals.get_by_role("button", name=TITLE).tap()
    expect(diego.get_by_role("dialog", name=re.compile(TITLE))).to_be_visible()


def test_the_forecast_and_the_totals_follow_the_filter(people: People, psql: psycopg.Connection) -> None:
    psql.execute("UPDATE opportunities SET expected_close_date = '2020-01-15' WHERE title = %s", [TITLE])
    ana = people.sign_in("ana")
    ana.get_by_label("Buscar").fill("Implantação em 3")
    expect(total(ana, "totalOpen")).to_contain_text("96.500")
    expect(total(ana, "totalWeighted")).to_contain_text("48.250")
    ana.get_by_role("button", name="Por responsável").click()
    expect(ana.get_by_role("row", name=re.compile("^Bruno Lima")).get_by_role("cell")).to_have_count(3)
    expect(ana.get_by_role("row")).to_have_count(2)
    ana.keyboard.press("Escape")
    ana.get_by_role("button", name="Previsão").click()
    forecast = ana.get_by_role("dialog", name="Previsão")
    forecast.get_by_text("Atrasados").click()
    assert violations(ana) == []
    forecast.get_by_role("button", name=TITLE).click()
    panel = ana.get_by_role("dialog", name=TITLE)
    panel.get_by_label("Próxima atividade").fill("Ligar hoje")
    panel.get_by_label("Prazo").fill("2020-02-01")
    panel.get_by_role("button", name="Salvar").click()
    expect(card(ana, TITLE)).to_contain_text("Ligar hoje")
