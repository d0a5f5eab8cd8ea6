"""The demo's data: four users, two boards, and their opportunities, which are in demo.csv.

Invariant: seeding again changes nothing, and does not bring back what somebody has deleted. A database with other users in it is
left alone.
"""

import csv
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db import opportunity_details
from db.engine import Origin, write
from db.fractional_index import key_after
from db.models import board_members, boards, opportunities, users

USERS = {"ana": "Ana Souza", "bruno": "Bruno Lima", "carla": "Carla Nunes", "diego": "Diego Alves"}
_ROLES = {"ana": "admin", "bruno": "editor", "carla": "editor", "diego": "viewer"}
_BOARDS = {"vendas": "Vendas", "parcerias": "Parcerias"}
_PHASES = {
    "prospecting": "Prospecção",
    "qualification": "Qualificação",
    "proposal": "Proposta",
    "negotiation": "Negociação",
    "won": "Ganho",
    "lost": "Perdido",
}
_KINDS = {"won": "won", "lost": "lost"}
_COLORS = {
    "prospecting": "gray",
    "qualification": "blue",
    "proposal": "indigo",
    "negotiation": "amber",
    "won": "green",
    "lost": "red",
}
_DEALS = Path(__file__).with_name("demo.csv")
"""Values are in BRL; `days` are those from today to the expected close."""
_REASONS = ["Preço", "Momento", "Escolheu um concorrente", "Sem orçamento", "Sem resposta"]
_ACTIVITIES = (("Ligar para confirmar a reunião", -2), ("Enviar a proposta revisada", 0), ("Visita técnica", 3))
"""Each with the days from today until it is due, for the first cards of a board."""
_PROBABILITY = {"prospecting": 10, "qualification": 25, "proposal": 50, "negotiation": 75, "won": 100, "lost": 0}


async def seed(engine: AsyncEngine) -> None:
    async with write(engine, actor="demo", origin=Origin("seed")) as conn:
        if await conn.scalar(select(exists().where(users.c.id.not_in(USERS)))):
            return
        people = [{"id": id_, "name": name, "email": f"{id_}@example.com"} for id_, name in USERS.items()]
        await conn.execute(insert(users).values(people).on_conflict_do_nothing())
        phases = [
            {
                "id": id_,
                "name": name,
                "kind": _KINDS.get(id_, "open"),
                "color": _COLORS[id_],
                "probability": _PROBABILITY[id_],
            }
            for id_, name in _PHASES.items()
        ]
        for board_id, name in _BOARDS.items():
            # Boards are listed by age, and the transaction has only one now().
            row = {
                "id": board_id,
                "name": name,
                "phases": phases,
                "close_reasons": _REASONS,
                "created_at": func.clock_timestamp(),
            }
            made = await conn.scalar(insert(boards).values(row).on_conflict_do_nothing().returning(boards.c.id))
            if made:
                await _fill(conn, board_id)


async def _fill(conn: AsyncConnection, board_id: str) -> None:
    members = [{"board_id": board_id, "user_id": user, "role": role} for user, role in _ROLES.items()]
    await conn.execute(insert(board_members).values(members))
    today = date.today()  # noqa: DTZ011 - a day of the calendar, of whoever looks at the demo
    last: dict[str, str] = {}
    rows = []
    for deal in csv.DictReader(_DEALS.read_text(encoding="utf-8").splitlines()):
        if deal["board"] != board_id:
            continue
        phase, owner = deal["phase"], deal["owner"]
        last[phase] = key_after(last.get(phase))
        rows.append(
            {
                "board_id": board_id,
                "phase": phase,
                "title": deal["title"],
                "company": deal["company"],
                "contact": deal["contact"],
                "value": int(deal["value"]),
                "owner_id": owner,
                "probability": _PROBABILITY[phase],
                "expected_close_date": today + timedelta(days=int(deal["days"])),
                "position": last[phase],
                "last_modified_by": owner,
            }
        )
    made = await conn.execute(insert(opportunities).values(rows).returning(opportunities.c.id, opportunities.c.phase))
    cards = made.all()
    await opportunity_details.note_closings(conn, [card.id for card in cards])
    lost = (card.id for card in cards if card.phase == "lost")
    for number, card in enumerate(lost):
        await opportunity_details.write(conn, card, board_id, {"close_reason": _REASONS[number % len(_REASONS)]})
    for card, (text, days) in zip((card for card in cards if card.phase not in _KINDS), _ACTIVITIES, strict=False):
        activity = {"next_activity": text, "next_activity_date": today + timedelta(days=days)}
        await opportunity_details.write(conn, card.id, board_id, activity)
