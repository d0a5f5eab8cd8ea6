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
from api.body import read
from api.json import answer
from api.operation import Operation
from api.problems import Problem
from api.schemas import Login, Me, Session, Users
from api.services import services
from db import demo, users
from feed.principal import Principal
from feed.tokens import TokenError

COOKIE = "boardcast_session"
_SESSION = timedelta(hours=12)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def principal(request: Request) -> Principal:
    """Verify the request's token; a Problem where it has none that is good."""
    header = request.headers.get("Authorization")
    token = request.cookies.get(COOKIE) if header is None else _bearer(header)
    if not token:
        raise Problem("unauthenticated")
    if header is None and request.method not in _SAFE:
        check_origin(request, required=True)
    try:
        return await services(request).tokens.verify(token)
    except TokenError as error:
        raise errors.of_token(error) from error


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


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def log_in(request: Request) -> Response:
    """Give a demo user a token, and the browser a session."""
    own = services(request)
    if not own.settings.demo or not own.tokens.issues:
        raise Problem("no-demo")
    check_origin(request, required=False)
    login = await read(request, Login)
    async with own.engine.connect() as conn:
        user = await users.get(conn, login.user)
    if user is None:
        raise Problem("unknown-user")
    token = own.tokens.issue(user.id, user.name, _SESSION)
    response = answer({"token": token, **_told(await own.tokens.verify(token))})
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(_SESSION.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


async def log_out(request: Request) -> Response:
    check_origin(request, required=False)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return response


async def demo_users(request: Request) -> Response:
    own = services(request)
    if not own.settings.demo or not own.tokens.issues:
        raise Problem("no-demo")
    return answer({"users": [{"id": id_, "name": name} for id_, name in demo.USERS.items()]})


async def me(request: Request) -> Response:
    return answer(_told(await principal(request)))


def _told(who: Principal) -> dict[str, Any]:
    return {
        "user": {"id": who.user_id, "name": who.name},
        "expiresAt": datetime.fromtimestamp(who.expires, UTC).isoformat(),
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
