"""Who is asking, by bearer token or by the session's cookie.

Invariant: a cookie is sent by the browser whoever wrote the page, so what it signs may change something only when the
request comes from a page of ours.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from api import errors
from api.answers import Me, Session, Users
from api.body import read
from api.json import answer
from api.operation import Operation
from api.problems import Problem
from api.schemas import Login
from api.services import Services, services
from db import demo, users
from feed.access.tokens import TokenError
from feed.wire.principal import Principal

COOKIE = "boardcast_session"
DBA = "dba"
"""The role of a token that may read the trigger log."""
_SESSION = timedelta(hours=12)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def principal(request: Request) -> Principal:
    """Verify the request's token; a Problem where it has none that is good."""
    token = _presented(request)
    if not token:
        raise Problem("unauthenticated")
    if not _by_header(request) and request.method not in _SAFE:
        check_origin(request, required=True)
    try:
        return await services(request).tokens.verify(token)
    except TokenError as error:
        raise errors.of_token(error) from error


async def known(request: Request) -> Principal | None:
    """Say whose the request is, where it says so; a token that is not good is none."""
    try:
        return await principal(request)
    except Problem:
        return None


async def dba(request: Request) -> Principal:
    """Verify that the request is a DBA's."""
    who = await principal(request)
    if DBA not in who.roles:
        raise Problem("dba-only", f"the token's claim roles must have {DBA}: boardcast token USER --role {DBA}")
    return who


def check_origin(request: Request, *, required: bool) -> None:
    """Refuse pages of other origins. Ours are those of the settings, and the address that was called itself."""
    origin = request.headers.get("Origin")
    if origin is None:
        if required:
            raise Problem("wrong-origin", "with a cookie, the Origin header is needed")
        return
    if origin in services(request).settings.allowed_origins:
        return
    try:
        same = urlsplit(origin).netloc == request.headers.get("Host")
    except ValueError:
        same = False
    if not same:
        raise Problem("wrong-origin")


def _by_header(request: Request) -> bool:
    return "Authorization" in request.headers


def _presented(request: Request) -> str:
    """Return the token that came with the request; a header, even an unusable one, wins over the cookie."""
    if not _by_header(request):
        return request.cookies.get(COOKIE, "")
    scheme, _, token = request.headers["Authorization"].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def log_in(request: Request) -> Response:
    """Give a demo user a token, and the browser a session."""
    own = services(request)
    _require_demo(own)
    check_origin(request, required=False)
    login = await read(request, Login)
    async with own.engine.connect() as conn:
        user = await users.get(conn, login.user)
    if user is None:
        raise Problem("unknown-user")
    token = own.tokens.issue(user.id, user.name, _SESSION, () if login.role is None else (login.role,))
    response = answer({"token": token, **told(await own.tokens.verify(token))})
    _keep(request, response, token)
    return response


async def keep_session(request: Request) -> Response:
    """Make the token that the request shows the browser's session, for pages: their scripts then need not hold it."""
    check_origin(request, required=True)
    who = await principal(request)
    response = answer(told(who))
    _keep(request, response, _presented(request))
    return response


async def refresh(request: Request) -> Response:
    """Give the token of the session to a page, whose scripts cannot read the cookie; in the demo one that lasts again."""
    own = services(request)
    who = await principal(request)
    if not _is_demo(own):
        return answer({"token": _presented(request), **told(who)})
    token = own.tokens.issue(who.user_id, who.name, _SESSION, who.roles)
    response = answer({"token": token, **told(await own.tokens.verify(token))})
    if not _by_header(request):
        _keep(request, response, token)
    return response


def _keep(request: Request, response: Response, token: str) -> None:
    """Make it the browser's session."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(_SESSION.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


async def log_out(request: Request) -> Response:
    check_origin(request, required=False)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return response


async def demo_users(request: Request) -> Response:
    _require_demo(services(request))
    return answer({"users": [{"id": id_, "name": name} for id_, name in demo.USERS.items()]})


async def me(request: Request) -> Response:
    return answer(told(await principal(request)))


def _is_demo(own: Services) -> bool:
    return own.settings.demo and own.tokens.issues


def _require_demo(own: Services) -> None:
    if not _is_demo(own):
        raise Problem("no-demo")


def told(who: Principal) -> dict[str, Any]:
    """Say who it is, and until when."""
    return {
        "user": {"id": who.user_id, "name": who.name},
        "expiresAt": datetime.fromtimestamp(who.expires, UTC).isoformat(),
        "roles": sorted(who.roles),
    }


ROUTES = [
    Operation(
        "POST",
        "/api/auth/token",
        log_in,
        summary="Sign in as one of the demo's people",
        tag="auth",
        body=Login,
        answers={200: Session},
        problems=("no-demo", "unknown-user", "wrong-origin"),
        public=True,
    ),
    Operation(
        "DELETE",
        "/api/auth/token",
        log_out,
        summary="End the browser's session",
        tag="auth",
        answers={204: None},
        problems=("wrong-origin",),
        public=True,
    ),
    Operation(
        "POST",
        "/api/auth/session",
        keep_session,
        summary="Make the token of the Authorization header the browser's session",
        tag="auth",
        answers={200: Me},
    ),
    Operation(
        "POST",
        "/api/auth/refresh",
        refresh,
        summary="The token of this session, for a WebSocket's auth message; in the demo a new one",
        tag="auth",
        answers={200: Session},
    ),
    Operation(
        "GET",
        "/api/auth/users",
        demo_users,
        summary="The demo's people",
        tag="auth",
        answers={200: Users},
        problems=("no-demo",),
        public=True,
    ),
    Operation("GET", "/api/auth/me", me, summary="Whose token this is", tag="auth", answers={200: Me}),
]
