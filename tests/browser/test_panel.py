"""The panel, with two users on one deal: typed text is never lost, and each user sees the other's changes."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.people import People, opener

TITLE = "Implantação em 3 filiais"
WRONG_CLOCK = """
    const real = Date;
    const day = 86_400_000 * %d;
    globalThis.Date = class extends real {
      constructor(...args) { args.length ? super(...args) : super(real.now() + day); }
      static now() { return real.now() + day; }
    };
"""

Deal = Callable[[], dict[str, Any]]


@pytest.fixture
def deal(psql: psycopg.Connection) -> Deal:
    """Returns the current row of the deal."""
    row = psql.execute("SELECT id FROM opportunities WHERE title = %s", [TITLE]).fetchone()
    assert row is not None

    def now() -> dict[str, Any]:
        found = psql.execute("SELECT to_jsonb(o) FROM opportunities AS o WHERE id = %s", row).fetchone()
        return dict(found[0]) if found else {}

    return now


def open_panel(page: Page, title: str = TITLE) -> Locator:
    opener(page, title).click()
    panel = page.get_by_role("dialog", name=title)
    expect(panel.get_by_label("Título")).to_have_value(title)
    return panel


def save(panel: Locator) -> None:
    panel.get_by_role("button", name="Salvar").click()
    expect(panel.get_by_text("Salvo")).to_be_visible()


def wait_for_row(deal: Deal, page: Page, **fields: object) -> None:
    """Wait until the row has these values."""
    for _ in range(100):
        now = deal()
        if all(now.get(name) == value for name, value in fields.items()):
            return
        page.wait_for_timeout(50)
    assert {name: now.get(name) for name in fields} == fields


def test_saved_changes_are_shown_to_other_users(people: People, deal: Deal) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    panel, other = open_panel(ana), open_panel(bruno)
    panel.get_by_label("Contato").fill("Lívia Tavares")
    panel.get_by_label("Valor").fill("98.765,43")
    panel.get_by_label("Probabilidade").fill("65")
    panel.get_by_label("Responsável").select_option(label="Carla Nunes")
    panel.get_by_label("Data prevista de fechamento").fill("2027-02-28")
    panel.get_by_label("Anotações").fill("Quer começar pela filial do centro.")
    expect(panel.get_by_text("6 alterações não salvas")).to_be_visible()
    panel.get_by_label("Anotações").press("Control+Enter")
    expect(panel.get_by_text("Salvo")).to_be_visible()
    wait_for_row(deal, ana, contact="Lívia Tavares", value=98765.43, probability=65, owner_id="carla")
    wait_for_row(
        deal, ana, expected_close_date="2027-02-28", notes="Quer começar pela filial do centro.", version_number=2
    )
    expect(other.get_by_label("Contato")).to_have_value("Lívia Tavares")
    expect(other.get_by_label("Valor")).to_have_value("98.765,43")
    expect(other.get_by_label("Data prevista de fechamento")).to_have_value("2027-02-28")
    expect(bruno.get_by_role("listitem").filter(has_text=TITLE)).to_contain_text("98.765,43")


def test_changes_of_different_fields_are_both_kept_and_shown(people: People, deal: Deal) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    panel, other = open_panel(ana), open_panel(bruno)
    panel.get_by_label("Contato").fill("Lívia Tavares")
    other.get_by_label("Valor").fill("105000")
    save(other)
    expect(panel.locator("form").get_by_text("Bruno Lima alterou o valor")).to_be_visible()
    expect(panel.locator("form").get_by_text("antes: R$ 96.500")).to_be_visible()
    expect(panel.get_by_label("Valor")).to_have_value("105.000")
    expect(panel.get_by_label("Contato")).to_have_value("Lívia Tavares")
    panel.get_by_role("button", name="Salvar").click()
    expect(panel.get_by_text("Salvo e mesclado com as alterações de Bruno Lima")).to_be_visible()
    wait_for_row(deal, ana, contact="Lívia Tavares", value=105000)
    expect(other.locator("form").get_by_text("Ana Souza alterou o contato")).to_be_visible()
    expect(ana.get_by_role("dialog")).to_have_count(1)


def test_the_panel_names_other_editing_users(people: People) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    panel, other = open_panel(ana), open_panel(bruno)
    other.get_by_label("Contato").fill("Outra pessoa")
    expect(panel.get_by_text("Bruno Lima também está editando")).to_be_visible()
    other.get_by_role("button", name="Fechar").click()
    expect(panel.get_by_text("Bruno Lima também está editando")).to_have_count(0)


def test_a_clash_while_typing_offers_both_values(people: People, deal: Deal) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    panel, other = open_panel(ana), open_panel(bruno)
    panel.get_by_label("Valor").fill("99000")
    panel.get_by_label("Contato").fill("O de Ana")
    other.get_by_label("Valor").fill("105000")
    other.get_by_label("Contato").fill("O de Bruno")
    save(other)
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
    wait_for_row(deal, ana, value=105000, contact="O de Ana", version_number=3)
    expect(ana.get_by_role("dialog")).to_have_count(1)


@pytest.mark.parametrize(("pick", "value"), [("mine", 99000), ("theirs", 105000), ("other", 101500)])
def test_a_conflict_dialog_resolves_the_same_field(people: People, deal: Deal, pick: str, value: int) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    panel, other = open_panel(ana), open_panel(bruno)
    panel.get_by_label("Valor").fill("99000")
    panel.get_by_label("Contato").fill("O de Ana")
    other.get_by_label("Valor").fill("105000")
    save(other)
    expect(panel.locator("[data-clash=value]")).to_be_visible()
    panel.get_by_role("button", name="Salvar").click()
    dialog = ana.get_by_role("dialog", name="Você e Bruno Lima alteraram os mesmos campos")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Antes: R$ 96.500")
    expect(dialog.get_by_role("button", name="Salvar decisão")).to_be_disabled()
    # With the keyboard only: the first radio button has the focus.
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
    wait_for_row(deal, ana, value=value, contact="O de Ana")
    expect(panel.get_by_text("Salvo")).to_be_visible()
    expect(panel.get_by_label("Valor")).to_have_value(f"{value:,}".replace(",", "."))
    if pick != "theirs":
        panel.get_by_role("tab", name="Histórico").click()
        expect(panel.locator("[data-version='3']")).to_contain_text("mesclagem da v1 com a v2")


def test_notes_are_merged_by_lines_and_conflict_only_on_the_same_line(
    people: People, deal: Deal, psql: psycopg.Connection
) -> None:
    psql.execute("UPDATE opportunities SET notes = E'um\\ndois\\ntrês\\nquatro' WHERE title = %s", [TITLE])
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    panel, other = open_panel(ana), open_panel(bruno)
    panel.get_by_label("Anotações").fill("um\ndois\ntrês\nquatro de Ana")
    other.get_by_label("Anotações").fill("um de Bruno\ndois\ntrês\nquatro")
    save(other)
    expect(panel.locator("[data-clash=notes]")).to_contain_text("Bruno Lima alterou as anotações")
    panel.get_by_role("button", name="Salvar").click()
    wait_for_row(deal, ana, notes="um de Bruno\ndois\ntrês\nquatro de Ana")
    panel.get_by_label("Anotações").fill("um de Ana\ndois\ntrês\nquatro de Ana")
    expect(other.get_by_label("Anotações")).to_have_value("um de Bruno\ndois\ntrês\nquatro de Ana")
    other.get_by_label("Anotações").fill("um de todos\ndois\ntrês\nquatro de Ana")
    save(other)
    expect(panel.locator("[data-clash=notes]")).to_be_visible()
    panel.get_by_role("button", name="Salvar").click()
    dialog = ana.get_by_role("dialog", name="Você e Bruno Lima")
    expect(dialog.locator("[data-choice=notes]")).to_contain_text("um de todos")
    dialog.get_by_label("Outro valor", exact=True).check()
    expect(dialog.get_by_role("textbox")).to_have_value("um de todos\num de Ana\ndois\ntrês\nquatro de Ana")
    dialog.get_by_role("button", name="Salvar decisão").click()
    wait_for_row(deal, ana, notes="um de todos\num de Ana\ndois\ntrês\nquatro de Ana")


def test_a_conflict_can_be_resolved_later(people: People, deal: Deal) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    panel, other = open_panel(ana), open_panel(bruno)
    panel.get_by_label("Valor").fill("99000")
    other.get_by_label("Valor").fill("105000")
    save(other)
    expect(panel.locator("[data-clash=value]")).to_be_visible()
    panel.get_by_role("button", name="Salvar").click()
    dialog = ana.get_by_role("dialog", name="Você e Bruno Lima")
    expect(dialog).to_be_visible()
    ana.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    panel.get_by_role("button", name="Decidir agora").click()
    dialog.get_by_role("button", name="Manter todos os meus").click()
    dialog.get_by_role("button", name="Salvar decisão").click()
    wait_for_row(deal, ana, value=99000)


def test_undo_restores_a_deleted_deal(people: People, deal: Deal) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    open_panel(ana).get_by_role("button", name="Excluir negócio").click()
    expect(opener(bruno, TITLE)).to_have_count(0)
    assert deal() == {}
    ana.get_by_role("button", name="Desfazer").click()
    expect(opener(bruno, TITLE)).to_be_visible()
    expect(opener(ana, TITLE)).to_be_visible()
    assert deal()["title"] == TITLE


def test_an_edit_of_a_deleted_deal_can_become_a_new_deal(people: People, deal: Deal, psql: psycopg.Connection) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
    panel = open_panel(ana)
    panel.get_by_label("Contato").fill("O que Ana digitou")
    open_panel(bruno).get_by_role("button", name="Excluir negócio").click()
    expect(panel.get_by_text("Bruno Lima excluiu este negócio.")).to_be_visible()
    expect(panel.get_by_label("Contato")).to_have_value("O que Ana digitou")
    panel.get_by_role("button", name="Criar como novo negócio").click()
    expect(opener(bruno, TITLE)).to_be_visible()
    rows = psql.execute("SELECT contact, value FROM opportunities WHERE title = %s", [TITLE]).fetchall()
    assert [(contact, int(value)) for contact, value in rows] == [("O que Ana digitou", 96500)]
    assert deal() == {}


def test_typed_text_of_a_deleted_deal_is_offered_after_closing_the_panel(
    people: People, psql: psycopg.Connection
) -> None:
    ana = people.sign_in("ana")
    panel = open_panel(ana)
    panel.get_by_label("Contato").fill("O que Ana digitou")
    psql.execute("DELETE FROM opportunities WHERE title = %s", [TITLE])
    expect(panel.get_by_text("Você pode criar um novo negócio com esse conteúdo")).to_be_visible()
    ana.keyboard.press("Escape")
    offer = ana.get_by_role("article").filter(has_text=TITLE)
    expect(offer).to_contain_text("O que Ana digitou")
    offer.get_by_role("button", name="Criar como novo negócio").click()
    expect(open_panel(ana).get_by_label("Contato")).to_have_value("O que Ana digitou")


def test_history_shows_changes_and_restores_a_version(people: People, deal: Deal, psql: psycopg.Connection) -> None:
    ana = people.sign_in("ana")
    panel = open_panel(ana)
    panel.get_by_label("Valor").fill("105000")
    panel.get_by_label("Anotações").fill("primeira\nsegunda")
    save(panel)
    panel.get_by_role("tab", name="Histórico").click()
    second = panel.locator("[data-version='2']")
    expect(second).to_contain_text("Ana Souza")
    expect(second.locator("del")).to_have_text("R$ 96.500")
    expect(second.locator("ins")).to_contain_text("R$ 105.000")
    expect(second).to_contain_text("segunda")
    expect(panel.locator("[data-version='1']")).to_contain_text("criou o negócio")
    panel.get_by_role("button", name="Restaurar v1").click()
    wait_for_row(deal, ana, value=96500, notes=None, version_number=3)
    third = panel.locator("[data-version='3']")
    expect(third).to_contain_text("restaurada a partir da v1")
    expect(third).to_contain_text("atual")
    psql.execute("DELETE FROM opportunities WHERE title = %s", [TITLE])
    panel.get_by_role("button", name="Restaurar v2").click()
    wait_for_row(deal, ana, value=105000, notes="primeira\nsegunda")
    expect(opener(ana, TITLE)).to_be_visible()
    panel.get_by_role("tab", name="Detalhes").click()
    expect(panel.get_by_label("Valor")).to_have_value("105.000")


def test_typed_text_survives_a_reload_and_escape(people: People, deal: Deal) -> None:
    ana = people.sign_in("ana")
    panel = open_panel(ana)
    panel.get_by_label("Contato").fill("Ainda não salvo 🌱")
    panel.get_by_label("Valor").fill("12 mil")
    expect(panel.get_by_text("Informe um valor válido")).to_be_visible()
    expect(panel.get_by_role("button", name="Salvar")).to_be_disabled()
    ana.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    ana.reload()
    panel = open_panel(ana)
    expect(panel.get_by_text("Estas são as alterações que você não salvou")).to_be_visible()
    expect(panel.get_by_label("Contato")).to_have_value("Ainda não salvo 🌱")
    expect(panel.get_by_label("Valor")).to_have_value("12 mil")
    assert deal()["contact"] == "Eduardo Tavares"
    panel.get_by_label("Valor").fill("12000")
    save(panel)
    wait_for_row(deal, ana, contact="Ainda não salvo 🌱", value=12000)
    ana.reload()
    expect(open_panel(ana).get_by_text("Estas são as alterações que você não salvou")).to_have_count(0)


def test_changes_saved_offline_are_sent_later(people: People, deal: Deal) -> None:
    ana = people.sign_in("ana")
    panel = open_panel(ana)
    ana.context.set_offline(True)
    panel.get_by_label("Contato").fill("Do trem")
    panel.get_by_role("button", name="Salvar").click()
    expect(panel.get_by_text("Sem conexão: suas alterações ficam guardadas aqui")).to_be_visible(timeout=10_000)
    expect(panel.get_by_label("Contato")).to_have_value("Do trem")
    assert deal()["contact"] == "Eduardo Tavares"
    ana.context.set_offline(False)
    wait_for_row(deal, ana, contact="Do trem")
    expect(panel.get_by_text("Salvo")).to_be_visible()


def test_a_title_that_is_too_long_is_rejected_and_kept(people: People, deal: Deal) -> None:
    ana = people.sign_in("ana")
    panel = open_panel(ana)
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
    wait_for_row(deal, ana, title="🌱" * 300, company="👩‍🌾 Café & Cia")


def test_a_viewer_can_read_but_not_change(people: People) -> None:
    diego = people.sign_in("diego")
    opener(diego, TITLE).click()
    panel = diego.get_by_role("dialog", name=TITLE)
    expect(panel.get_by_text("Você pode ver este negócio, mas não editá-lo.")).to_be_visible()
    expect(panel.get_by_text("Eduardo Tavares")).to_be_visible()
    expect(panel.get_by_role("textbox")).to_have_count(0)
    panel.get_by_role("tab", name="Histórico").click()
    expect(panel.get_by_text("criou o negócio")).to_be_visible()
    expect(panel.get_by_role("button", name="Restaurar")).to_have_count(0)


def test_a_user_who_loses_write_permission_keeps_the_typed_text(
    people: People, psql: psycopg.Connection, deal: Deal
) -> None:
    ana = people.sign_in("ana")
    panel = open_panel(ana)
    panel.get_by_label("Contato").fill("Tarde demais")
    psql.execute("UPDATE feed.board_members SET role = 'viewer' WHERE user_id = 'ana' AND board_id = 'vendas'")
    panel.get_by_role("button", name="Salvar").click()
    expect(panel.get_by_text("Você pode ver este quadro, mas não editá-lo.")).to_be_visible()
    expect(panel.get_by_label("Contato")).to_have_value("Tarde demais")
    assert deal()["contact"] == "Eduardo Tavares"


def test_a_new_deal_stays_in_the_form_until_it_is_valid(people: People, psql: psycopg.Connection) -> None:
    ana, bruno = people.sign_in("ana"), people.sign_in("bruno")
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
def test_relative_times_are_right_with_a_wrong_clock(people: People, days: int) -> None:
    ana, bruno = people.sign_in("ana", script=WRONG_CLOCK % days), people.sign_in("bruno")
    panel, other = open_panel(ana), open_panel(bruno)
    panel.get_by_label("Valor").fill("1")
    other.get_by_label("Valor").fill("105000")
    save(other)
    clash = panel.locator("[data-clash=value]")
    expect(clash).to_contain_text("Bruno Lima alterou o valor")
    wrong = ("daqui", "dia", "ontem", "amanhã", "hora")
    assert not any(word in clash.inner_text() for word in wrong), clash.inner_text()
    panel.get_by_role("tab", name="Histórico").click()
    newest = panel.locator("[data-version='2'] time")
    expect(newest).to_be_visible()
    times = panel.locator("time:visible").all_inner_texts()
    assert times
    assert not any(word in each for each in times for word in wrong), times


def test_the_focus_enters_the_panel_and_returns(people: People) -> None:
    ana = people.sign_in("ana")
    opener(ana, TITLE).focus()
    ana.keyboard.press("Enter")
    panel = ana.get_by_role("dialog", name=TITLE)
    expect(panel.get_by_role("heading", name=TITLE)).to_be_focused()
    ana.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Fechar")).to_be_focused()
    ana.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(opener(ana, TITLE)).to_be_focused()


def test_on_a_phone_the_panel_fills_the_screen_with_touch_targets(people: People) -> None:
    ana = people.sign_in("ana", width=360)
    panel = open_panel(ana)
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 900}
    small = panel.evaluate("""panel => [...panel.querySelectorAll("button, input, select, textarea")]
        .map(e => [e.name || e.ariaLabel || e.textContent, Math.round(e.getBoundingClientRect().height)])
        .filter(([, height]) => height < 44)""")
    assert small == []
    assert panel.evaluate("panel => panel.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(people: People, psql: psycopg.Connection, scheme: str) -> None:
    ana, bruno = people.sign_in("ana", color_scheme=scheme), people.sign_in("bruno")
    panel, other = open_panel(ana), open_panel(bruno)
    panel.get_by_label("Valor").fill("99000")
    panel.get_by_label("Contato").fill("x" * 301)
    other.get_by_label("Valor").fill("105000")
    other.get_by_label("Probabilidade").fill("60")
    save(other)
    expect(panel.locator("[data-clash=value]")).to_be_visible()
    expect(panel.get_by_text("1 caractere a mais")).to_be_visible()
    assert violations(ana) == []
    panel.get_by_label("Contato").fill("O de Ana")
    panel.get_by_role("button", name="Salvar").click()
    expect(ana.get_by_role("dialog", name="Você e Bruno Lima")).to_be_visible()
    assert violations(ana) == []
    ana.keyboard.press("Escape")
    expect(panel.get_by_role("button", name="Decidir agora")).to_be_visible()
    assert violations(ana) == []
    panel.get_by_role("tab", name="Histórico").click()
    expect(panel.locator("[data-version='2']")).to_be_visible()
    assert violations(ana) == []
    psql.execute("DELETE FROM opportunities WHERE title = %s", [TITLE])
    expect(ana.get_by_role("article").filter(has_text="enquanto você o editava")).to_be_visible()
    assert violations(ana) == []
