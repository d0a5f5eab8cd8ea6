"""The demo's data: four users, two boards, and their opportunities.

Invariant: seeding again changes nothing, and does not bring back what somebody has deleted. A database with other users in it is
left alone.
"""

from datetime import date, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.engine import Origin, write
from db.fractional_index import key_after
from db.models import board_members, boards, opportunities, users

USERS = {"ana": "Ana Souza", "bruno": "Bruno Lima", "carla": "Carla Nunes", "diego": "Diego Alves"}
_ROLES = {"ana": "editor", "bruno": "editor", "carla": "editor", "diego": "viewer"}
_BOARDS = {"vendas": "Vendas", "parcerias": "Parcerias"}
_PHASES = {
    "prospecting": "Prospecção",
    "qualification": "Qualificação",
    "proposal": "Proposta",
    "negotiation": "Negociação",
    "won": "Ganho",
    "lost": "Perdido",
}
_PROBABILITY = {"prospecting": 10, "qualification": 25, "proposal": 50, "negotiation": 75, "won": 100, "lost": 0}

# board, phase, title, company, contact, BRL, owner, days from today to the expected close
_DEALS = (
    (
        "vendas",
        "prospecting",
        "Licenças de CRM para 40 vendedores",
        "Rede Bahia Móveis",
        "Tatiane Rocha",
        48_000,
        "ana",
        75,
    ),
    (
        "vendas",
        "prospecting",
        "Migração de planilhas para o funil",
        "Padaria Estrela do Sul",
        "Seu Joaquim",
        7_200,
        "bruno",
        60,
    ),
    (
        "vendas",
        "prospecting",
        "Piloto com a equipe de campo",
        "AgroVale Sementes",
        "Marcos Pinheiro",
        22_500,
        "carla",
        82,
    ),
    ("vendas", "prospecting", "Integração com WhatsApp", "Clínica Vida Nova", "Dra. Helena Prado", 15_900, "ana", 68),
    ("vendas", "qualification", "Plano anual, 12 usuários", "Ótica Horizonte", "Rafael Moura", 17_280, "bruno", 45),
    ("vendas", "qualification", "Funil para imobiliária", "Casa & Chave Imóveis", "Patrícia Leal", 31_000, "carla", 50),
    ("vendas", "qualification", "Renovação com treinamento", "Escola Novo Saber", "Cíntia Barros", 12_400, "ana", 38),
    (
        "vendas",
        "proposal",
        "Implantação em 3 filiais",
        "Supermercados Boa Safra",
        "Eduardo Tavares",
        96_500,
        "bruno",
        30,
    ),
    (
        "vendas",
        "proposal",
        "Painel de metas do time",
        "Transportadora Caminho Certo",
        "Luciana Freitas",
        27_900,
        "ana",
        28,
    ),
    ("vendas", "proposal", "Contrato corporativo", "Construtora Alicerce", "Otávio Sampaio", 184_000, "carla", 40),
    ("vendas", "negotiation", "Ampliação para 80 licenças", "Farmácias Bem-Estar", "Renata Coelho", 112_000, "ana", 14),
    ("vendas", "negotiation", "Suporte premium 24h", "Hotel Maré Alta", "Fábio Nogueira", 36_600, "bruno", 9),
    ("vendas", "won", "Pacote inicial", "Café Serra Azul", "Mariana Duarte", 9_900, "carla", -12),
    ("vendas", "won", "Licenças + consultoria", "Metalúrgica Aço Forte", "Gilberto Reis", 74_300, "ana", -20),
    ("vendas", "lost", "Projeto sob medida", "Loja Ponto da Moda", "Sílvia Campos", 41_000, "bruno", -5),
    ("parcerias", "prospecting", "Revenda no Nordeste", "TecNorte Soluções", "Wagner Lopes", 60_000, "carla", 90),
    (
        "parcerias",
        "prospecting",
        "Co-marketing em feira do varejo",
        "Expo Varejo BR",
        "Júlia Antunes",
        18_000,
        "ana",
        55,
    ),
    ("parcerias", "qualification", "Integração com ERP", "SoftGestão", "Henrique Vidal", 45_000, "bruno", 65),
    ("parcerias", "qualification", "Programa de indicação", "Contábil Prisma", "Sandra Melo", 12_000, "ana", 48),
    ("parcerias", "proposal", "Certificação de consultores", "Instituto Alavanca", "Paulo Seixas", 33_500, "carla", 35),
    ("parcerias", "negotiation", "Marca branca para telecom", "Conecta Telecom", "Vanessa Brito", 210_000, "bruno", 21),
    ("parcerias", "negotiation", "Bundle com meio de pagamento", "PagaFácil", "Igor Meireles", 87_000, "ana", 18),
    ("parcerias", "won", "Parceria de implantação", "Mineira Consultoria", "Débora Fonseca", 52_000, "carla", -15),
    ("parcerias", "lost", "Distribuição exclusiva", "Global Softwares", "André Paiva", 150_000, "bruno", -8),
)


async def seed(engine: AsyncEngine) -> None:
    async with write(engine, actor="demo", origin=Origin("seed")) as conn:
        if await conn.scalar(select(exists().where(users.c.id.not_in(USERS)))):
            return
        people = [{"id": id_, "name": name, "email": f"{id_}@example.com"} for id_, name in USERS.items()]
        await conn.execute(insert(users).values(people).on_conflict_do_nothing())
        phases = [{"id": id_, "name": name} for id_, name in _PHASES.items()]
        for board_id, name in _BOARDS.items():
            # Boards are listed by age, and the transaction has only one now().
            row = {"id": board_id, "name": name, "phases": phases, "created_at": func.clock_timestamp()}
            made = await conn.scalar(insert(boards).values(row).on_conflict_do_nothing().returning(boards.c.id))
            if made:
                await _fill(conn, board_id)


async def _fill(conn: AsyncConnection, board_id: str) -> None:
    members = [{"board_id": board_id, "user_id": user, "role": role} for user, role in _ROLES.items()]
    await conn.execute(insert(board_members).values(members))
    today = date.today()  # noqa: DTZ011 - a day of the calendar, of whoever looks at the demo
    last: dict[str, str] = {}
    rows = []
    for board, phase, title, company, contact, value, owner, days in _DEALS:
        if board != board_id:
            continue
        last[phase] = key_after(last.get(phase))
        rows.append(
            {
                "board_id": board,
                "phase": phase,
                "title": title,
                "company": company,
                "contact": contact,
                "value": value,
                "owner_id": owner,
                "probability": _PROBABILITY[phase],
                "expected_close_date": today + timedelta(days=days),
                "position": last[phase],
                "last_modified_by": owner,
            }
        )
    await conn.execute(insert(opportunities).values(rows))
