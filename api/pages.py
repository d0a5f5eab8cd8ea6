"""The pages: the board at /, the documentation at /docs. Plain files, fresh at every start."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api.problems import PROBLEMS, Problem

_FILES = Path(__file__).parent / "page"
ENTRY = _FILES / "index.html"
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class _Static(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS)
        return response


async def board(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
    return FileResponse(ENTRY, headers=_HEADERS)


async def docs(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
    return FileResponse(_FILES / "docs.html", headers=_HEADERS)


async def problem(request: Request) -> Response:
    """Lead from a problem's `type` to what the documentation says of it."""
    slug = request.path_params["slug"]
    if slug not in PROBLEMS:
        raise Problem("not-found")
    return RedirectResponse(f"/docs#problem-{slug}")


ROUTES: list[BaseRoute] = [
    Route("/", board),
    Route("/docs", docs),
    Route("/problems/{slug}", problem),
    Mount("/static", _Static(directory=_FILES)),
]
