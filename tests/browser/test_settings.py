"""Boards, stages, and members in the browser: an admin changes them, and everybody else sees it at once."""

import re

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.people import People, card, column, drag, live, opener

TITLE = "Implantação em 3 filiais"


def settings(page: Page) -> Locator:
    """Open the settings of the board with the keyboard alone."""
    page.get_by_role("button", name=re.compile("^Quadro: ")).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Configurações do quadro")
    expect(dialog).to_be_visible()
    return dialog


def columns(page: Page) -> list[str]:
    return [name.partition("\n")[0] for name in page.locator("section[data-phase] h2").all_inner_texts()]


def stage(dialog: Locator, phase: str) -> Locator:
    return dialog.locator(f'[data-stage="{phase}"]')


def test_stages_change_live_for_everybody(people: People) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    dialog = settings(ana)
    name = stage(dialog, "proposal").get_by_label("Nome da etapa")
    name.fill("Orçamento")
    name.press("Enter")
    expect(column(bruno, "proposal").get_by_role("heading", level=2)).to_contain_text("Orçamento")
    dialog.get_by_label(re.compile("^Nome do quadro")).fill("Vendas 2027")
    dialog.get_by_label(re.compile("^Nome do quadro")).press("Enter")
    expect(bruno.get_by_role("button", name=re.compile("^Quadro: Vendas 2027"))).to_be_visible()

    # A stage is moved by the keys of its handle, then dragged.
    handle = stage(dialog, "proposal").get_by_role("button", name=re.compile("^Mover "))
    handle.focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowDown", "ArrowUp"):  # the handle keeps the focus
        ana.keyboard.press(key)
    expect(dialog.get_by_role("status").filter(has_text="posição 1 de 6")).to_have_count(1)
    expect(bruno.locator("section[data-phase]").first).to_have_attribute("data-phase", "proposal")
    expect(dialog.locator("[data-stage]").first).to_have_attribute("data-stage", "proposal")
    start, end = handle.bounding_box(), stage(dialog, "negotiation").bounding_box()
    assert start
    assert end
    ana.mouse.move(start["x"] + 8, start["y"] + 8)
    ana.mouse.down()
    ana.mouse.move(start["x"] + 8, end["y"] + end["height"] - 2, steps=12)
    ana.mouse.up()
    expect(bruno.locator("section[data-phase]").nth(3)).to_have_attribute("data-phase", "proposal")

    dialog.get_by_role("button", name="Adicionar etapa").click()
    expect(bruno.locator("section[data-phase]")).to_have_count(7)
    assert columns(bruno)[4] == "Nova etapa"
    assert violations(ana) == []


def test_the_deals_of_a_deleted_stage_move_where_the_admin_says(people: People) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    drag(bruno, TITLE, "negotiation")
    dialog = settings(ana)
    stage(dialog, "negotiation").get_by_role("button", name=re.compile("^Excluir ")).click()
    asked = dialog.get_by_role("group", name=re.compile("^Excluir "))
    asked.get_by_role("combobox").select_option(label="Proposta")
    asked.get_by_role("button", name="Excluir etapa").click()
    expect(stage(dialog, "negotiation")).to_have_count(0)
    expect(column(bruno, "negotiation")).to_have_count(0)
    expect(bruno.get_by_text(re.compile("foi excluída. O negócio não foi movido"))).to_be_visible()
    bruno.mouse.up()
    expect(card(bruno, TITLE)).to_have_count(1)
    expect(bruno.get_by_text("Não é uma etapa deste quadro")).to_have_count(0)


def test_members_are_invited_and_lose_their_role_while_they_edit(people: People, psql: psycopg.Connection) -> None:
    psql.execute("INSERT INTO users VALUES ('eva', 'Eva Prado', 'eva@example.com')")
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    opener(bruno, TITLE).click()
    panel = bruno.get_by_role("dialog", name=TITLE)
    panel.get_by_label("Contato").fill("Lívia Tavares")
    dialog = settings(ana)
    dialog.get_by_label("E-mail ou ID do usuário").fill("nobody@example.com")
    dialog.get_by_role("button", name="Convidar").click()
    expect(dialog.get_by_text("Ninguém tem este e-mail")).to_be_visible()
    dialog.get_by_label("E-mail ou ID do usuário").fill("eva@example.com")
    dialog.get_by_role("button", name="Convidar").click()
    expect(dialog.get_by_label("Função de Eva Prado")).to_have_value("editor")
    expect(dialog.get_by_label("Função de Ana Souza")).to_be_disabled()
    dialog.get_by_label("Função de Bruno Lima").select_option("viewer")
    expect(bruno.get_by_text("Somente leitura")).to_be_visible()
    expect(bruno.get_by_text("Lívia Tavares").or_(bruno.locator("input[value='Lívia Tavares']")).first).to_be_attached()
    own = settings(bruno)
    own.get_by_role("button", name="Sair do quadro").click()
    own.get_by_role("group", name="Sair do quadro").get_by_role("button", name="Sair do quadro").click()
    expect(bruno.get_by_text("Este quadro não está mais disponível para você")).to_be_visible()
    expect(dialog.get_by_label("Função de Bruno Lima")).to_have_count(0)
    dialog.get_by_role("button", name="Remover Eva Prado").click()
    expect(dialog.get_by_label("Função de Eva Prado")).to_have_count(0)
    assert psql.execute(
        "SELECT actor FROM feed.log WHERE relation = 'feed.board_members' ORDER BY seq DESC"
    ).fetchone() == ("ana",)


def test_a_board_is_archived_while_somebody_types(people: People) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    opener(bruno, TITLE).click()
    panel = bruno.get_by_role("dialog", name=TITLE)
    panel.get_by_label("Contato").fill("Lívia Tavares")
    dialog = settings(ana)
    dialog.get_by_role("button", name="Arquivar quadro").click()
    dialog.get_by_role("button", name="Arquivar", exact=True).click()
    expect(bruno.get_by_text("Este quadro está arquivado")).to_be_visible()
    dialog.get_by_role("button", name="Restaurar quadro").click()
    expect(bruno.get_by_text("Este quadro está arquivado")).to_have_count(0)
    expect(panel.get_by_label("Contato")).to_have_value("Lívia Tavares")


@pytest.mark.parametrize("size", [{"width": 1400}, {"width": 360, "height": 740, "has_touch": True}])
def test_a_new_user_has_a_board_after_three_clicks(
    people: People, psql: psycopg.Connection, size: dict[str, int]
) -> None:
    psql.execute("DELETE FROM feed.board_members WHERE user_id = 'diego'")
    page = people.browser(**size)
    page.goto(people.address)
    page.get_by_role("button", name="Diego Alves").click()
    page.get_by_role("button", name="Criar um quadro").click()
    assert violations(page) == []
    page.get_by_text("Parcerias").click()
    page.get_by_role("button", name="Criar quadro").click()
    live(page)
    assert columns(page) == ["Primeiro contato", "Reunião", "Contrato", "Assinado", "Perdido"]
    dialog = settings(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert dialog.evaluate("element => element.scrollWidth <= element.clientWidth")
