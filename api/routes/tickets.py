"""Tickets for EventSource, which cannot send headers. A ticket is in the URL, so it is valid only once."""

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.http.json_response import json_response
from api.http.operation import Operation
from api.schemas.responses import Ticket
from api.state import app_state
from db import tickets
from db.engine import driver


async def create_ticket(request: Request) -> Response:
    principal = await authenticate(request)
    async with app_state(request).engine.begin() as conn:
        ticket = await tickets.create(
            await driver(conn), principal.user_id, principal.name, principal.roles, principal.expires
        )
    return json_response({"ticket": ticket, "expiresIn": int(tickets.TTL.total_seconds())}, 201)


ROUTES = [
    Operation(
        "POST",
        "/api/events/ticket",
        create_ticket,
        summary="Get a ticket for /api/events?ticket=… or the feed's /sse?ticket=…, valid once and for 30 seconds",
        tag="events",
        responses={201: Ticket},
    )
]
