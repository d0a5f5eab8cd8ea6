"""What a page needs to know before it connects: addresses, versions, and the transport that its user is offered."""

from importlib.metadata import version
from typing import Any

from api.state import AppState
from db import users


async def offered_transport(state: AppState, user_id: str | None) -> str:
    """Return the transport that a user is offered; None is an unknown user."""
    if state.runtime is not None:
        return state.runtime.rollout.best_transport(user_id)
    async with state.engine.connect() as conn:
        return await users.realtime(conn, user_id)


def is_demo(state: AppState) -> bool:
    """Whether users may sign in by name."""
    return state.settings.demo and state.tokens.issues


async def client_config(state: AppState, user_id: str | None) -> dict[str, Any]:
    return {
        "feedUrl": state.settings.public_feed_url,
        "realtime": await offered_transport(state, user_id),
        "demo": is_demo(state),
        "version": version("boardcast"),
        "build": state.build,
    }
