"""Boards: created, renamed, archived, and their phases changed. A change names the version that it replaces."""

from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate
from api.board_admin import board_json, board_response, invalidate, lock_board, require_admin, require_own_table
from api.http import etags
from api.http.operation import Operation
from api.http.parsing import parse_body, write_origin
from api.http.problems import Problem
from api.schemas.board_requests import BoardPatch, NewBoard
from api.schemas.responses import BoardHead
from api.state import app_state
from db import board_changes, boards, members
from db.boards import BoardRow
from db.engine import write

_COLUMNS = {"closeReasons": "close_reasons", "staleDays": "stale_days"}
_MAX_MOVED = 5000
"""Cards that the deletion of a phase moves. It locks them all."""


async def create_board(request: Request) -> Response:
    state, principal = app_state(request), await authenticate(request)
    origin = write_origin(request)
    new = await parse_body(request, NewBoard)
    user_id, board_id = principal.user_id, new.id or str(uuid4())
    async with write(state.engine, actor=user_id, origin=origin) as conn:
        await require_own_table(conn, "Create the board")
        if await members.count_boards(conn, user_id) >= state.settings.max_boards:
            raise Problem("limit-reached", f"You are on {state.settings.max_boards} boards. Leave one first.")
        phases, currency = [phase.model_dump(exclude_none=True) for phase in new.phases or ()], new.currency or "BRL"
        reasons = new.closeReasons or []
        if new.copyOf is not None:
            source = await boards.access(conn, new.copyOf, user_id)
            if source is None:
                raise Problem("unknown-board")
            phases, currency = source.phases, new.currency or source.currency
            reasons = source.close_reasons if new.closeReasons is None else reasons
        created = await board_changes.create(conn, board_id, new.name, phases, currency, reasons, user_id)
        if created is None:
            raise Problem("conflict", "This id belongs to another board. Choose another.")
    invalidate(request, board_id)
    return board_response(created.board, created.xid, 201)


async def patch_board(request: Request) -> Response:
    principal = await authenticate(request)
    origin = write_origin(request)
    expected = etags.expected_version(request)
    fields = (await parse_body(request, BoardPatch)).model_dump(exclude_unset=True)
    moves: dict[str, str] = fields.pop("moveCards", {})
    async with write(app_state(request).engine, actor=principal.user_id, origin=origin) as conn:
        board, role = await lock_board(conn, request, principal.user_id)
        require_admin(role)
        if expected not in (etags.ANY_VERSION, board.version):
            headers = {"ETag": etags.for_version(board.version)}
            raise Problem("stale-board", headers=headers, current=board_json(board))
        if board.archived and fields.get("archived", True):
            raise Problem("board-archived")
        if "phases" in fields:
            fields["phases"] = await _new_phases(conn, board, fields["phases"], moves, principal.user_id)
        fields = {_COLUMNS.get(name, name): value for name, value in fields.items()}
        if not fields:
            return board_response(board, None)
        changed = await board_changes.change(conn, board.id, fields)
    invalidate(request, board.id)
    return board_response(changed.board, changed.xid if changed.board.version != board.version else None)


async def _new_phases(
    conn: AsyncConnection, board: BoardRow, wanted: list[dict[str, Any]], moves: dict[str, str], user_id: str
) -> list[dict[str, Any]]:
    """Return the phases to store, after moving cards out of those that are deleted."""
    before = {phase["id"]: phase for phase in board.phases}
    after = [phase["id"] for phase in wanted]
    if set(before) != set(after):
        await require_own_table(conn, "Add or delete stages")
    deleted = [phase for phase in before if phase not in after]
    for phase, target in moves.items():
        if phase not in deleted or target not in after:
            raise Problem("unknown-phase", "moveCards names a deleted phase, and one that stays.", phases=after)
    cards = await board_changes.count_cards(conn, board.id, deleted) if deleted else {}
    if stranded := {phase: count for phase, count in cards.items() if phase not in moves}:
        raise Problem("phase-in-use", cards=stranded)
    if sum(cards.values()) > _MAX_MOVED:
        raise Problem("limit-reached", f"Move cards out of the phase first: at most {_MAX_MOVED} move at once.")
    for phase in cards:
        await board_changes.move_cards(conn, board.id, phase, moves[phase], user_id)
    # Other programs may have stored more about a phase than this API knows.
    known = ("kind", "color", "probability")
    return [
        {name: value for name, value in before.get(phase["id"], {}).items() if name not in known}
        | {name: value for name, value in ({"kind": "open"} | phase).items() if value is not None}
        for phase in wanted
    ]


ROUTES = [
    Operation(
        "POST",
        "/api/boards",
        create_board,
        summary="Create a board, or copy the phases of one",
        tag="boards",
        request_body=NewBoard,
        headers=("X-Mutation-Id", "traceparent"),
        responses={201: BoardHead},
        problems=("unknown-board", "conflict", "limit-reached", "application-board", "invalid-mutation-id"),
    ),
    Operation(
        "PATCH",
        "/api/boards/{id}",
        patch_board,
        summary="Rename, archive, or restore a board, or change its currency or phases",
        tag="boards",
        request_body=BoardPatch,
        headers=("If-Match", "X-Mutation-Id", "traceparent"),
        responses={200: BoardHead},
        problems=(
            "unknown-board",
            "admin-only",
            "stale-board",
            "board-archived",
            "phase-in-use",
            "unknown-phase",
            "limit-reached",
            "application-board",
            "if-match-required",
            "invalid-if-match",
            "invalid-mutation-id",
        ),
    ),
]
