"""The user who sent a request, by bearer token or by the session cookie.

Invariant: browsers send a cookie whichever page makes the request. So a request with a cookie may change something only
if it comes from one of our pages.
"""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from api import errors
from api.http.problems import Problem
from api.state import app_state
from feed.access.origins import origin_allowed
from feed.access.tokens import TokenError
from feed.stream_request import COOKIE
from feed.wire.principal import Principal

DBA_ROLE = "dba"
"""The role of a token that may read the trigger log."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def authenticate(request: Request) -> Principal:
    """Verify the request's token. Raises a Problem if it has none, or one that is not valid."""
    token = presented_token(request)
    if not token:
        raise Problem("unauthenticated")
    if not has_authorization(request) and request.method not in _SAFE_METHODS:
        check_origin(request, required=True)
    try:
        return await app_state(request).tokens.verify(token)
    except TokenError as error:
        raise errors.token_problem(error) from error


async def authenticate_optional(request: Request) -> Principal | None:
    """Verify the request's token; None if it has none, or one that is not valid."""
    try:
        return await authenticate(request)
    except Problem:
        return None


async def authenticate_dba(request: Request) -> Principal:
    """Verify that the request's token has the role dba."""
    principal = await authenticate(request)
    if DBA_ROLE not in principal.roles:
        raise Problem(
            "dba-only",
            f"The claim `roles` of your token must contain `{DBA_ROLE}`. "
            f"Create one with: boardcast token USER --role {DBA_ROLE}",
        )
    return principal


def check_origin(request: Request, *, required: bool) -> None:
    """Reject requests of other origins. Allowed are those of the settings, and the numeric address that was called."""
    if required and "Origin" not in request.headers:
        raise Problem("wrong-origin", "A request that is authenticated by a cookie must have an Origin header.")
    if not origin_allowed(request.headers, app_state(request).settings):
        raise Problem("wrong-origin", "Add the origin to BOARDCAST_ORIGINS to allow it.")


def has_authorization(request: Request) -> bool:
    return "Authorization" in request.headers


def presented_token(request: Request) -> str:
    """Return the request's token. An Authorization header wins over the cookie, even if it is not usable."""
    if not has_authorization(request):
        return request.cookies.get(COOKIE, "")
    scheme, _, token = request.headers["Authorization"].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def session_info(principal: Principal) -> dict[str, Any]:
    """Return the user, their roles, and when the token expires, as several responses contain them."""
    return {
        "user": {"id": principal.user_id, "name": principal.name},
        "expiresAt": datetime.fromtimestamp(principal.expires, UTC).isoformat(),
        "roles": sorted(principal.roles),
    }
