"""The panel: two people at one deal. What is typed is never lost, and each is told what the other did."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import faults
from tests.browser.people import People, opener

TITLE = "Implantação em 3 filiais"
WRONG_BY_A_DAY = """
    const real = Date;
    const day = 86_400_000 * %d;
    globalThis.Date = class extends real {
      constructor(...given) { given.length ? super(...given) : super(real.now() + day); }
      static now() { return real.now() + day; }
    };
"""

Deal = Callable[[], dict[str, Any]]


@pytest.fixture
def deal(psql: psycopg.Connection) -> Deal:
    """The deal that they work on, as the table has it."""
    row = psql.execute("SELECT id FROM opportunities WHERE title = %s", [TITLE]).fetchone()
    assert row is not None

    def now() -> dict[str, Any]:
        found = psql.execute("SELECT to_jsonb(o) FROM opportunities AS o WHERE id = %s", row).fetchone()
        return dict(found[0]) if found else {}

    return now


def opened(page: Page, title: str = TITLE) -> Locator:
    opener(page, title).click()
    panel = page.get_by_role("dialog", name=title)
    expect(panel.get_by_label("Título")).to_have_value(title)
    return panel


def saved(panel: Locator) -> None:
    panel.get_by_role("button", name="Salvar").click()
    expect(panel.get_by_text("Salvo")).to_be_visible()


def has(deal: Deal, page: Page, **fields: object) -> None:
    """Wait until the table has these."""
    for _ in range(100):
        now = deal()
        if all(now.get(name) == value for name, value in fields.items()):
            return
        page.wait_for_timeout(50)
    assert {name: now.get(name) for name in fields} == fields


def test_what_one_saves_the_other_sees(people: People, deal: Deal) -> None:
    ana, bruno = people.enter("ana"), people.enter("bruno")
    panel, other = opened(ana), opened(bruno)
    panel.get_by_label("Contato").fill("Lívia Tavares")
    panel.get_by_label("Valor").fill("98.765,43")
    panel.get_by_label("Probabilidade").fill("65")
    panel.get_by_label("Responsável").select_option(label="Carla Nunes")
    panel.get_by_label("Data prevista de fechamento").fill("2027-02-28")
    panel.get_by_label("Anotações").fill("Quer começar pela filial do centro.")
    expect(panel.get_by_text("6 alterações não salvas")).to_be_visible()
    panel.get_by_label("Anotações").press("Control+Enter")
    expect(panel.get_by_text("Salvo")).to_be_visible()
    has(deal, ana, contact="Lívia Tavares", value=98765.43, probability=65, owner_id="carla")
    has(deal, ana, expected_close_date="2027-02-28", notes="Quer começar pela filial do centro.", version_number=2)
    expect(other.get_by_label("Contato")).to_have_value("Lívia Tavares")
    expect(other.get_by_label("Valor")).to_have_value("98.765,43")
    expect(other.get_by_label("Data prevista de fechamento")).to_have_value("2027-02-28")
    expect(bruno.get_by_role("listitem").filter(has_text=TITLE)).to_contain_text("98.765,43")


def test_each_changes_something_else_and_both_are_kept_and_told(people: People, deal: Deal) -> None:
    ana, bruno = people.enter("ana"), people.enter("bruno")
    panel, other = opened(ana), opened(bruno)
    panel.get_by_label("Contato").fill("Lívia Tavares")
    other.get_by_label("Valor").fill("105000")
    saved(other)
    expect(panel.locator("form").get_by_text("Bruno Lima alterou o valor")).to_be_visible()
    expect(panel.locator("form").get_by_text("antes: R$ 96.500")).to_be_visible()
    expect(panel.get_by_label("Valor")).to_have_value("105.000")
    expect(panel.get_by_label("Contato")).to_have_value("Lívia Tavares")
    panel.get_by_role("button", name="Salvar").click()
    expect(panel.get_by_text("Salvo junto com as alterações de Bruno Lima")).to_be_visible()
    has(deal, ana, contact="Lívia Tavares", value=105000)
    expect(other.locator("form").get_by_text("Ana Souza alterou o contato")).to_be_visible()
    expect(ana.get_by_role("dialog")).to_have_count(1)


def test_who_else_is_editing_is_said(people: People) -> None:
    ana, bruno = people.enter("ana"), people.enter("bruno")
    panel, other = opened(ana), opened(bruno)
    other.get_by_label("Contato").fill("Outra pessoa")
    expect(panel.get_by_text("Bruno Lima também está editando")).to_be_visible()
    other.get_by_role("button", name="Fechar").click()
    expect(panel.get_by_text("Bruno Lima também está editando")).to_have_count(0)


def test_what_the_other_does_is_said_while_one_types_and_either_can_stay(people: People, deal: Deal) -> None:
    ana, bruno = people.enter("ana"), people.enter("bruno")
    panel, other = opened(ana), opened(bruno)
    panel.get_by_label("Valor").fill("99000")
    panel.get_by_label("Contato").fill("O de Ana")
    other.get_by_label("Valor").fill("105000")
    other.get_by_label("Contato").fill("O de Bruno")
    saved(other)
    value = panel.locator("[data-clash=value]")
    contact = panel.locator("[data-clash=contact]")
    expect(value).to_contain_text("Bruno Lima alterou o valor para R$ 105.000")
    expect(value.locator("time")).to_have_text(["agora"])
    expect(value.locator("time")).to_contain_text("há", timeout=5000)
    expect(contact).to_contain_text("Bruno Lima alterou o contato para O de Bruno")
    expect(panel.get_by_label("Valor")).to_have_value("99.000")
    value.get_by_role("button", name="Usar o novo").click()
    expect(panel.get_by_label("Valor")).to_have_value("105.000")
    contact.get_by_role("button", name="Manter o meu").click()
    expect(contact).to_have_count(0)
    expect(panel.get_by_label("Contato")).to_have_value("O de Ana")
    panel.get_by_role("button", name="Salvar").click()
    has(deal, ana, value=105000, contact="O de Ana", version_number=3)
    expect(ana.get_by_role("dialog")).to_have_count(1)


@pytest.mark.parametrize(("pick", "value"), [("mine", 99000), ("theirs", 105000), ("other", 101500)])
def test_the_same_field_is_asked_about(people: People, deal: Deal, pick: str, value: int) -> None:
    ana, bruno = people.enter("ana"), people.enter("bruno")
    panel, other = opened(ana), opened(bruno)
    panel.get_by_label("Valor").fill("99000")
    panel.get_by_label("Contato").fill("O de Ana")
    other.get_by_label("Valor").fill("105000")
    saved(other)
    expect(panel.locator("[data-clash=value]")).to_be_visible()
    panel.get_by_role("button", name="Salvar").click()
    dialog = ana.get_by_role("dialog", name="Você e Bruno Lima alteraram os mesmos campos")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Antes: R$ 96.500")
    expect(dialog.get_by_role("button", name="Salvar decisão")).to_be_disabled()
    # By keys alone: the first of the radio buttons has the focus.
    for _ in range(["theirs", "mine", "other"].index(pick)):
        ana.keyboard.press("ArrowDown")
    if pick == "theirs":
        ana.keyboard.press("Space")
    if pick == "other":
        ana.keyboard.press("Tab")
        ana.keyboard.press("Control+A")
        ana.keyboard.type("101.500")
    ana.keyboard.press("Control+Enter")
    expect(dialog).to_have_count(0)
    has(deal, ana, value=value, contact="O de Ana")
    expect(panel.get_by_text("Salvo")).to_be_visible()
    expect(panel.get_by_label("Valor")).to_have_value(f"{value:,}".replace(",", "."))
    if pick != "theirs":
        panel.get_by_role("tab", name="Histórico").click()
        expect(panel.locator("[data-version='3']")).to_contain_text("mesclagem de v1 e v2")


def test_notes_are_merged_by_lines_and_asked_about_only_where_both_changed_one(
    people: People, deal: Deal, psql: psycopg.Connection
) -> None:
    psql.execute("UPDATE opportunities SET notes = E'um\\ndois\\ntrês\\nquatro' WHERE title = %s", [TITLE])
    ana, bruno = people.enter("ana"), people.enter("bruno")
    panel, other = opened(ana), opened(bruno)
    panel.get_by_label("Anotações").fill("um\ndois\ntrês\nquatro de Ana")
    other.get_by_label("Anotações").fill("um de Bruno\ndois\ntrês\nquatro")
    saved(other)
    expect(panel.locator("[data-clash=notes]")).to_contain_text("Bruno Lima alterou as anotações")
    panel.get_by_role("button", name="Salvar").click()
    has(deal, ana, notes="um de Bruno\ndois\ntrês\nquatro de Ana")
    panel.get_by_label("Anotações").fill("um de Ana\ndois\ntrês\nquatro de Ana")
    expect(other.get_by_label("Anotações")).to_have_value("um de Bruno\ndois\ntrês\nquatro de Ana")
    other.get_by_label("Anotações").fill("um de todos\ndois\ntrês\nquatro de Ana")
    saved(other)
    expect(panel.locator("[data-clash=notes]")).to_be_visible()
    panel.get_by_role("button", name="Salvar").click()
    dialog = ana.get_by_role("dialog", name="Você e Bruno Lima")
    expect(dialog.locator("[data-choice=notes]")).to_contain_text("um de todos")
    dialog.get_by_label("Outro valor", exact=True).check()
    expect(dialog.get_by_role("textbox")).to_have_value("um de todos\num de Ana\ndois\ntrês\nquatro de Ana")
    dialog.get_by_role("button", name="Salvar decisão").click()
    has(deal, ana, notes="um de todos\num de Ana\ndois\ntrês\nquatro de Ana")


def test_a_decision_can_wait_and_nothing_is_lost(people: People, deal: Deal) -> None:
    ana, bruno = people.enter("ana"), people.enter("bruno")
    panel, other = opened(ana), opened(bruno)
    panel.get_by_label("Valor").fill("99000")
    other.get_by_label("Valor").fill("105000")
    saved(other)
    expect(panel.locator("[data-clash=value]")).to_be_visible()
    panel.get_by_role("button", name="Salvar").click()
    dialog = ana.get_by_role("dialog", name="Você e Bruno Lima")
    expect(dialog).to_be_visible()
    ana.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    panel.get_by_role("button", name="Decidir agora").click()
    dialog.get_by_role("button", name="Tudo meu").click()
    dialog.get_by_role("button", name="Salvar decisão").click()
    has(deal, ana, value=99000)


def test_a_deleted_deal_comes_back_with_one_press(people: People, deal: Deal) -> None:
    ana, bruno = people.enter("ana"), people.enter("bruno")
    opened(ana).get_by_role("button", name="Excluir negócio").click()
    expect(opener(bruno, TITLE)).to_have_count(0)
    assert deal() == {}
    ana.get_by_role("button", name="Desfazer").click()
    expect(opener(bruno, TITLE)).to_be_visible()
    expect(opener(ana, TITLE)).to_be_visible()
    assert deal()["title"] == TITLE


def test_a_deal_deleted_while_it_is_edited_becomes_a_new_one(
    people: People, deal: Deal, psql: psycopg.Connection
) -> None:
    ana, bruno = people.enter("ana"), people.enter("bruno")
    panel = opened(ana)
    panel.get_by_label("Contato").fill("O que Ana digitou")
    opened(bruno).get_by_role("button", name="Excluir negócio").click()
    expect(panel.get_by_text("Bruno Lima excluiu este negócio.")).to_be_visible()
    expect(panel.get_by_label("Contato")).to_have_value("O que Ana digitou")
    panel.get_by_role("button", name="Criar como novo negócio").click()
    expect(opener(bruno, TITLE)).to_be_visible()
    rows = psql.execute("SELECT contact, value FROM opportunities WHERE title = %s", [TITLE]).fetchall()
    assert [(contact, int(value)) for contact, value in rows] == [("O que Ana digitou", 96500)]
    assert deal() == {}


def test_what_was_typed_for_a_deleted_deal_is_offered_after_the_panel_is_closed(
    people: People, psql: psycopg.Connection
) -> None:
    ana = people.enter("ana")
    panel = opened(ana)
    panel.get_by_label("Contato").fill("O que Ana digitou")
    psql.execute("DELETE FROM opportunities WHERE title = %s", [TITLE])
    expect(panel.get_by_text("Você pode criar um novo negócio com isso")).to_be_visible()
    ana.keyboard.press("Escape")
    offer = ana.get_by_role("article").filter(has_text=TITLE)
    expect(offer).to_contain_text("O que Ana digitou")
    offer.get_by_role("button", name="Criar como novo negócio").click()
    expect(opened(ana).get_by_label("Contato")).to_have_value("O que Ana digitou")


def test_history_tells_who_changed_what_and_goes_back(people: People, deal: Deal, psql: psycopg.Connection) -> None:
    ana = people.enter("ana")
    panel = opened(ana)
    panel.get_by_label("Valor").fill("105000")
    panel.get_by_label("Anotações").fill("primeira\nsegunda")
    saved(panel)
    panel.get_by_role("tab", name="Histórico").click()
    second = panel.locator("[data-version='2']")
    expect(second).to_contain_text("Ana Souza")
    expect(second.locator("del")).to_have_text("R$ 96.500")
    expect(second.locator("ins")).to_contain_text("R$ 105.000")
    expect(second).to_contain_text("segunda")
    expect(panel.locator("[data-version='1']")).to_contain_text("criou o negócio")
    panel.get_by_role("button", name="Restaurar v1").click()
    has(deal, ana, value=96500, notes=None, version_number=3)
    third = panel.locator("[data-version='3']")
    expect(third).to_contain_text("restaurada da v1")
    expect(third).to_contain_text("atual")
    psql.execute("DELETE FROM opportunities WHERE title = %s", [TITLE])
    panel.get_by_role("button", name="Restaurar v2").click()
    has(deal, ana, value=105000, notes="primeira\nsegunda")
    expect(opener(ana, TITLE)).to_be_visible()
    panel.get_by_role("tab", name="Detalhes").click()
    expect(panel.get_by_label("Valor")).to_have_value("105.000")


def test_what_was_typed_survives_a_reload_and_escape(people: People, deal: Deal) -> None:
    ana = people.enter("ana")
    panel = opened(ana)
    panel.get_by_label("Contato").fill("Ainda não salvo 🌱")
    panel.get_by_label("Valor").fill("12 mil")
    expect(panel.get_by_text("Isto não é um valor")).to_be_visible()
    expect(panel.get_by_role("button", name="Salvar")).to_be_disabled()
    ana.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    ana.reload()
    panel = opened(ana)
    expect(panel.get_by_text("Estas são as alterações que você não salvou")).to_be_visible()
    expect(panel.get_by_label("Contato")).to_have_value("Ainda não salvo 🌱")
    expect(panel.get_by_label("Valor")).to_have_value("12 mil")
    assert deal()["contact"] == "Eduardo Tavares"
    panel.get_by_label("Valor").fill("12000")
    saved(panel)
    has(deal, ana, contact="Ainda não salvo 🌱", value=12000)
    ana.reload()
    expect(opened(ana).get_by_text("Estas são as alterações que você não salvou")).to_have_count(0)


def test_what_is_saved_without_a_connection_is_kept_and_sent_later(people: People, deal: Deal) -> None:
    ana = people.enter("ana")
    panel = opened(ana)
    ana.context.set_offline(True)
    panel.get_by_label("Contato").fill("Do trem")
    panel.get_by_role("button", name="Salvar").click()
    expect(panel.get_by_text("Sem conexão: suas alterações ficam guardadas aqui")).to_be_visible(timeout=10_000)
    expect(panel.get_by_label("Contato")).to_have_value("Do trem")
    assert deal()["contact"] == "Eduardo Tavares"
    ana.context.set_offline(False)
    has(deal, ana, contact="Do trem")
    expect(panel.get_by_text("Salvo")).to_be_visible()


def test_a_title_of_10000_characters_is_refused_kindly_and_kept(people: People, deal: Deal) -> None:
    ana = people.enter("ana")
    panel = opened(ana)
    long = "🌱" * 10_000
    panel.get_by_label("Título").fill(long)
    panel.get_by_label("Empresa").fill("👩‍🌾 Café & Cia")
    expect(panel.get_by_text("9700 caracteres a mais")).to_be_visible()
    panel.get_by_role("button", name="Salvar").click()
    expect(panel.get_by_text("Use no máximo 300 caracteres.")).to_be_visible()
    expect(panel.get_by_label("Título")).to_have_value(long)
    expect(panel.get_by_label("Título")).to_have_attribute("aria-invalid", "true")
    expect(panel.get_by_label("Empresa")).to_have_value("👩‍🌾 Café & Cia")
    expect(opener(ana, TITLE)).to_be_visible()
    panel.get_by_label("Título").fill("🌱" * 300)
    panel.get_by_role("button", name="Salvar").click()
    has(deal, ana, title="🌱" * 300, company="👩‍🌾 Café & Cia")


def test_a_viewer_reads_and_changes_nothing(people: People) -> None:
    diego = people.enter("diego")
    opener(diego, TITLE).click()
    panel = diego.get_by_role("dialog", name=TITLE)
    expect(panel.get_by_text("Você pode ver este negócio, mas não editá-lo.")).to_be_visible()
    expect(panel.get_by_text("Eduardo Tavares")).to_be_visible()
    expect(panel.get_by_role("textbox")).to_have_count(0)
    panel.get_by_role("tab", name="Histórico").click()
    expect(panel.get_by_text("criou o negócio")).to_be_visible()
    expect(panel.get_by_role("button", name="Restaurar")).to_have_count(0)


def test_who_loses_the_right_to_write_is_told_and_keeps_what_was_typed(
    people: People, psql: psycopg.Connection, deal: Deal
) -> None:
    ana = people.enter("ana")
    panel = opened(ana)
    panel.get_by_label("Contato").fill("Tarde demais")
    psql.execute("UPDATE board_members SET role = 'viewer' WHERE user_id = 'ana' AND board_id = 'vendas'")
    panel.get_by_role("button", name="Salvar").click()
    expect(panel.get_by_text("Você pode ver este quadro, mas não editá-lo.")).to_be_visible()
    expect(panel.get_by_label("Contato")).to_have_value("Tarde demais")
    assert deal()["contact"] == "Eduardo Tavares"


def test_a_new_deal_is_made_and_one_that_is_refused_stays_in_the_form(people: People, psql: psycopg.Connection) -> None:
    ana, bruno = people.enter("ana"), people.enter("bruno")
    ana.get_by_role("button", name="Novo negócio em Proposta").click()
    panel = ana.get_by_role("dialog", name="Novo negócio")
    expect(panel.get_by_label("Título")).to_be_focused()
    panel.get_by_label("Título").fill("🚀 Foguete")
    panel.get_by_label("Probabilidade").fill("130")
    ana.reload()
    ana.get_by_role("button", name="Novo negócio em Proposta").click()
    expect(panel.get_by_label("Título")).to_have_value("🚀 Foguete")
    panel.get_by_role("button", name="Criar negócio").click()
    expect(panel.get_by_text("Informe um número inteiro de 0 a 100.")).to_be_visible()
    panel.get_by_label("Probabilidade").fill("30")
    panel.get_by_label("Valor").fill("1.250,5")
    panel.get_by_label("Valor").press("Control+Enter")
    expect(panel).to_have_count(0)
    expect(opener(bruno, "🚀 Foguete")).to_be_visible()
    rows = psql.execute(
        "SELECT phase, owner_id, probability, value::float FROM opportunities WHERE title = '🚀 Foguete'"
    )
    assert rows.fetchall() == [("proposal", "ana", 30, 1250.5)]
    expect(opener(ana, "🚀 Foguete")).to_be_focused()


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_wrong_by_a_day_shows_no_wrong_times(people: People, days: int) -> None:
    ana, bruno = people.enter("ana", script=WRONG_BY_A_DAY % days), people.enter("bruno")
    panel, other = opened(ana), opened(bruno)
    panel.get_by_label("Valor").fill("1")
    other.get_by_label("Valor").fill("105000")
    saved(other)
    clash = panel.locator("[data-clash=value]")
    expect(clash).to_contain_text("Bruno Lima alterou o valor")
    wrong = ("daqui", "dia", "ontem", "amanhã", "hora")
    assert not any(word in clash.inner_text() for word in wrong), clash.inner_text()
    panel.get_by_role("tab", name="Histórico").click()
    newest = panel.locator("[data-version='2'] time")
    expect(newest).to_be_visible()
    told = panel.locator("time:visible").all_inner_texts()
    assert told
    assert not any(word in each for each in told for word in wrong), told


def test_the_focus_goes_in_and_comes_back(people: People) -> None:
    ana = people.enter("ana")
    opener(ana, TITLE).focus()
    ana.keyboard.press("Enter")
    panel = ana.get_by_role("dialog", name=TITLE)
    expect(panel.get_by_role("heading", name=TITLE)).to_be_focused()
    ana.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Fechar")).to_be_focused()
    ana.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(opener(ana, TITLE)).to_be_focused()


def test_on_a_telephone_it_is_the_whole_screen_and_all_can_be_touched(people: People) -> None:
    ana = people.enter("ana", width=360)
    panel = opened(ana)
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 900}
    small = panel.evaluate("""panel => [...panel.querySelectorAll("button, input, select, textarea")]
        .map(e => [e.name || e.ariaLabel || e.textContent, Math.round(e.getBoundingClientRect().height)])
        .filter(([, height]) => height < 44)""")
    assert small == []
    assert panel.evaluate("panel => panel.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(people: People, psql: psycopg.Connection, scheme: str) -> None:
    ana, bruno = people.enter("ana", color_scheme=scheme), people.enter("bruno")
    panel, other = opened(ana), opened(bruno)
    panel.get_by_label("Valor").fill("99000")
    panel.get_by_label("Contato").fill("x" * 301)
    other.get_by_label("Valor").fill("105000")
    other.get_by_label("Probabilidade").fill("60")
    saved(other)
    expect(panel.locator("[data-clash=value]")).to_be_visible()
    expect(panel.get_by_text("1 caractere a mais")).to_be_visible()
    assert faults(ana) == []
    panel.get_by_label("Contato").fill("O de Ana")
    panel.get_by_role("button", name="Salvar").click()
    expect(ana.get_by_role("dialog", name="Você e Bruno Lima")).to_be_visible()
    assert faults(ana) == []
    ana.keyboard.press("Escape")
    expect(panel.get_by_role("button", name="Decidir agora")).to_be_visible()
    assert faults(ana) == []
    panel.get_by_role("tab", name="Histórico").click()
    expect(panel.locator("[data-version='2']")).to_be_visible()
    assert faults(ana) == []
    psql.execute("DELETE FROM opportunities WHERE title = %s", [TITLE])
    expect(ana.get_by_role("article").filter(has_text="enquanto você o editava")).to_be_visible()
    assert faults(ana) == []
