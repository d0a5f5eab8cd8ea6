"""A board as one of its members sees it, with the cursor to follow it from.

Invariant: the database decides for every request who may see a board. The role and the members that a view shows come
from the same moment as its cards, so the cursor covers no change of rights that the view does not show.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from api.http.json_response import raw_json
from api.state import AppState
from db import presence
from db.boards import Board
from db.engine import driver
from feed.presence.entries import merge_tabs, presence_json
from feed.wire.cursor import Cursor

CursorCheck = Callable[[Cursor], bool]


class BoardView(NamedTuple):
    content: dict[str, Any]
    """The response without the presence."""
    cursor: str
    etag: str
    """A digest of everything but the cursor and the presence."""


async def boards_of(state: AppState, user_id: str) -> list[Board]:
    """Return the boards that a user is a member of now."""
    return await state.memberships.load(user_id) or []


def role_on(board_id: str, boards: list[Board]) -> str | None:
    return next((board.role for board in boards if board.id == board_id), None)


async def view_board(
    state: AppState,
    board_id: str,
    user_id: str,
    boards: list[Board],
    is_recent_enough: CursorCheck | None = None,
) -> BoardView | None:
    """Return a user's view of a board; None if it does not exist, or is not among their `boards`.

    A snapshot from memory is used only if its cursor `is_recent_enough`.
    """
    role = role_on(board_id, boards)
    if role is None:
        return None
    snapshot = await state.snapshots.get(board_id)
    if snapshot is not None and (
        snapshot.roles.get(user_id) != role
        or not (is_recent_enough is None or is_recent_enough(state.snapshots.cursor_for(board_id, snapshot)))
    ):
        # The feed of this process has not yet read a change of rights, or a change that the client already has from
        # another instance.
        snapshot = await state.snapshots.load(board_id)
    if snapshot is None or user_id not in snapshot.roles:
        return None
    role = snapshot.roles[user_id]
    cursor = str(state.snapshots.cursor_for(board_id, snapshot))
    content = {
        "board": raw_json(snapshot.board),
        "role": role,
        "members": raw_json(snapshot.members),
        "opportunities": raw_json(snapshot.opportunities),
        "cursor": cursor,
    }
    return BoardView(content, cursor, f'W/"{snapshot.digest}-{role}"')


async def full_board(state: AppState, board_id: str, user_id: str, boards: list[Board]) -> dict[str, Any] | None:
    """Return the response of GET /api/boards/{id}; None if it does not exist, or is not among their `boards`."""
    view = await view_board(state, board_id, user_id, boards)
    return None if view is None else await with_presence(state, board_id, view)


async def with_presence(state: AppState, board_id: str, view: BoardView) -> dict[str, Any]:
    return view.content | {"presence": await presence_on(state, board_id)}


async def presence_on(state: AppState, board_id: str) -> list[dict[str, object]]:
    """Return who views or edits what on a board, as last read: a claim of this moment may be missing."""
    if state.runtime is not None and state.runtime.ready:
        return state.runtime.presence.state([board_id])
    return await read_presence(state, board_id)


async def read_presence(state: AppState, board_id: str) -> list[dict[str, object]]:
    """Like `presence_on`, but from the database: clients that poll find what they have claimed."""
    async with state.engine.connect() as conn:
        by_place = merge_tabs(await presence.live(await driver(conn), [board_id]))
    return presence_json(lease for users in by_place.values() for lease in users.values())
