"""POST …/resolve-conflict: what came of two versions of a card, written as a third that names both.

Invariant: a decision holds only for the two versions that it was made of. If the card has changed again meanwhile, nothing is
written, and the answer is the same 412 as that of a stale PATCH.
"""

from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api import conflicts, etags
from api.answers import Opportunity
from api.auth import principal
from api.body import origin, read
from api.cards import WRITE_PROBLEMS, change, check_write, forget, visible, written
from api.json import answer, raw
from api.operation import Operation
from api.problems import Problem
from api.schemas import Resolution
from api.services import services
from db.engine import write
from db.opportunities import Found


async def resolve_conflict(request: Request) -> Response:
    who = await principal(request)
    mutation = origin(request)
    asked = await read(request, Resolution)
    parents = tuple(dict.fromkeys((asked.clientVersion, asked.serverVersion)))
    async with write(services(request).engine, actor=who.user_id, origin=mutation, parents=parents) as conn:
        found = await visible(conn, request, who.user_id)
        check_write(found.role)
        wanted = _wanted(asked)
        if found.version != asked.serverVersion:
            raise await conflicts.stale(conn, found, asked.clientVersion, who.user_id, wanted)
        if asked.resolution == "server":
            return answer(raw(found.body), headers={"ETag": etags.of(found.version)})
        if asked.resolution == "merge" and asked.mergedData is None:
            wanted = await _merged(conn, found, asked.clientVersion, who.user_id, wanted)
        changed = await change(conn, found, found.version, who.user_id, wanted)
        if changed is None:  # between the look and the write
            now = await visible(conn, request, who.user_id)
            raise await conflicts.stale(conn, now, asked.clientVersion, who.user_id, wanted)
    forget(request, found.board_id, wanted.get("board_id", found.board_id))
    return written(found, changed)


def _wanted(asked: Resolution) -> dict[str, Any]:
    """Choose what is to be written: what it was settled to be, else what the client had wanted."""
    chosen = asked.clientData if asked.mergedData is None else asked.mergedData
    return {} if chosen is None else chosen.model_dump(exclude_unset=True)


async def _merged(
    conn: AsyncConnection, found: Found, client_version: int, user_id: str, wanted: dict[str, Any]
) -> dict[str, Any]:
    base = await conflicts.base_of(conn, found, client_version, user_id)
    merged = conflicts.merge(
        conflicts.to_jsonable(wanted), orjson.loads(found.body), orjson.loads(base) if base else None
    )
    if merged.conflicts:
        raise Problem(
            "merge-conflict",
            headers={"ETag": etags.of(found.version)},
            conflicts=merged.conflicts,
            merged=merged.fields,
            current=raw(found.body),
            base=raw(base) if base else None,
        )
    fields = {name: wanted[name] for name in merged.fields}
    return fields | {name: merged.fields[name] for name in fields if name == "notes"}


ROUTES = [
    Operation(
        "POST",
        "/api/opportunities/{id}/resolve-conflict",
        resolve_conflict,
        summary="Settle a conflict: the client's side, the server's, or both merged",
        tag="opportunities",
        body=Resolution,
        headers=("X-Mutation-Id", "traceparent"),
        answers={200: Opportunity},
        problems=(
            *(slug for slug in WRITE_PROBLEMS if "if-match" not in slug),
            *("merge-conflict", "unknown-board", "unknown-phase"),
        ),
    )
]
