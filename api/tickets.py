"""Tickets for EventSource, which can send no header: they stand in the URL, so they are worth one connection only."""

from starlette.requests import Request
from starlette.responses import Response

from api.answers import Ticket
from api.auth import principal
from api.json import answer
from api.operation import Operation
from api.services import services
from db import tickets
from db.engine import driver


async def create_ticket(request: Request) -> Response:
    who = await principal(request)
    async with services(request).engine.begin() as conn:
        ticket = await tickets.create(await driver(conn), who.user_id, who.name, who.roles, who.expires)
    return answer({"ticket": ticket, "expiresIn": int(tickets.TTL.total_seconds())}, 201)


ROUTES = [
    Operation(
        "POST",
        "/api/events/ticket",
        create_ticket,
        summary="A ticket, for /api/events?ticket=… or the feed's /sse?ticket=…, good once and for 30 seconds",
        tag="events",
        answers={201: Ticket},
    )
]
