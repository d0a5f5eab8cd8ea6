"""Sessions: signing in to the demo, and tokens in cookies for pages."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from api.authentication import authenticate, check_origin, has_authorization, presented_token, session_info
from api.client_config import is_demo
from api.http.json_response import json_response
from api.http.operation import Operation
from api.http.parsing import parse_body
from api.http.problems import Problem
from api.schemas.requests import Login
from api.schemas.responses import Me, Session, Users
from api.state import AppState, app_state
from db import demo, users
from feed.access.origins import is_secure
from feed.stream_request import COOKIE

_SESSION = timedelta(hours=12)


async def log_in(request: Request) -> Response:
    """Issue a token to a demo user, and start a session in the browser."""
    state = app_state(request)
    _require_demo(state)
    check_origin(request, required=False)
    login = await parse_body(request, Login)
    async with state.engine.connect() as conn:
        user = await users.get(conn, login.user)
    if user is None:
        raise Problem("unknown-user")
    token = state.tokens.issue(user.id, user.name, _SESSION, () if login.role is None else (login.role,))
    response = json_response({"token": token, **session_info(await state.tokens.verify(token))})
    _set_cookie(request, response, token)
    return response


async def keep_session(request: Request) -> Response:
    """Put the token of the Authorization header into a cookie, so that a page's scripts need not store it."""
    check_origin(request, required=True)
    principal = await authenticate(request)
    response = json_response(session_info(principal))
    _set_cookie(request, response, presented_token(request))
    return response


async def refresh(request: Request) -> Response:
    """Return the session's token to a page, whose scripts cannot read the cookie. In the demo, issue a new one."""
    state = app_state(request)
    principal = await authenticate(request)
    if not is_demo(state):
        return json_response({"token": presented_token(request), **session_info(principal)})
    token = state.tokens.issue(principal.user_id, principal.name, _SESSION, principal.roles)
    response = json_response({"token": token, **session_info(await state.tokens.verify(token))})
    if not has_authorization(request):
        _set_cookie(request, response, token)
    return response


async def log_out(request: Request) -> Response:
    check_origin(request, required=False)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", secure=_is_secure(request), httponly=True, samesite="lax")
    return response


async def demo_users(request: Request) -> Response:
    _require_demo(app_state(request))
    return json_response({"users": [{"id": id_, "name": name} for id_, name in demo.USERS.items()]})


async def me(request: Request) -> Response:
    return json_response(session_info(await authenticate(request)))


def _set_cookie(request: Request, response: Response, token: str) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(_SESSION.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=_is_secure(request),
    )


def _is_secure(request: Request) -> bool:
    return is_secure(request.url.scheme, request.headers, app_state(request).settings)


def _require_demo(state: AppState) -> None:
    if not is_demo(state):
        raise Problem("no-demo")


ROUTES = [
    Operation(
        "POST",
        "/api/auth/token",
        log_in,
        summary="Sign in as a user of the demo",
        tag="auth",
        request_body=Login,
        responses={200: Session},
        problems=("no-demo", "unknown-user", "wrong-origin"),
        public=True,
    ),
    Operation(
        "DELETE",
        "/api/auth/token",
        log_out,
        summary="End the browser's session",
        tag="auth",
        responses={204: None},
        problems=("wrong-origin",),
        public=True,
    ),
    Operation(
        "POST",
        "/api/auth/session",
        keep_session,
        summary="Start a browser session with the token of the Authorization header",
        tag="auth",
        responses={200: Me},
    ),
    Operation(
        "POST",
        "/api/auth/refresh",
        refresh,
        summary="Get the token of this session, for a WebSocket's auth message; in the demo, a new one",
        tag="auth",
        responses={200: Session},
    ),
    Operation(
        "GET",
        "/api/auth/users",
        demo_users,
        summary="List the users of the demo",
        tag="auth",
        responses={200: Users},
        problems=("no-demo",),
        public=True,
    ),
    Operation(
        "GET",
        "/api/auth/me",
        me,
        summary="Get the user and the roles of your token",
        tag="auth",
        responses={200: Me},
    ),
]
