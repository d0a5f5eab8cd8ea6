"""The pages: the board at / and the DBA's at /dba, both built from web/, and the documentation at /docs.

Invariant: a page runs only code from boardcast's own files, whatever text a card contains. The policy below makes browsers
enforce this. Files under /assets are named after their contents and never change. The same applies to the directory with the
modules of the DBA's page, so no tab mixes modules of two versions. Browsers revalidate everything else.
"""

from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Scope

from api.http.compressed_files import CompressedFiles
from api.http.problems import PROBLEMS, Problem
from api.state import app_state

_FILES = Path(__file__).parent / "page"
_BOARD = Path(__file__).parent / "static" / "board"
ENTRY = _BOARD / "index.html"
CONSOLE = Path(__file__).parent / "static" / "console"
"""What `npm run build` in web/board and web/console has put there."""
_WORKER = "sw.js"
_KEPT = "public, max-age=31536000, immutable"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; "
    "connect-src 'self'{feed}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_NO_BUILD = '<meta name="build" content="" />'


def _headers(cache: str = "no-cache", feed: str = "") -> dict[str, str]:
    return {
        "Cache-Control": cache,
        "Content-Security-Policy": _POLICY.format(feed=feed),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }


class _Static(CompressedFiles):
    def __init__(self, directory: Path, cache: str = "no-cache") -> None:
        super().__init__(directory)
        self._cache = cache

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_headers(self._cache if response.status_code < 400 else "no-cache"))
        return response


class _Console(_Static):
    """The DBA's page, in a folder whose name says which one it is."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["path_params"]["build"] != app_state(scope["app"]).console:
            raise Problem("not-found", "a newer page is served now: load it again")
        return await super().get_response(path, scope)


async def board(request: Request) -> Response:
    """Serve the board. The page contains its build, so that a tab can detect a newer one."""
    own = app_state(request)
    try:
        page = ENTRY.read_text()
    except FileNotFoundError:
        return FileResponse(_FILES / "unbuilt.html", status_code=503, headers=_headers())
    page = page.replace(_NO_BUILD, _NO_BUILD.replace('content=""', f'content="{own.build}"'))
    return Response(page, media_type="text/html", headers=_headers(feed=_sources(own.settings.public_feed_url)))


async def worker(request: Request) -> Response:
    """Serve the board's service worker. Its address is at the root because it may handle only what is below its address."""
    return await _board_files.get_response(_WORKER, request.scope)


async def console(request: Request) -> Response:
    """Serve the DBA's page, which contains the folder of its files."""
    try:
        page = (CONSOLE / "index.html").read_text()
    except FileNotFoundError:
        return FileResponse(_FILES / "unbuilt.html", status_code=503, headers=_headers())
    page = page.replace("/dba/build/", f"/dba/{app_state(request).console}/")
    return Response(page, media_type="text/html", headers=_headers())


def _sources(url: str) -> str:
    """The feed's address as a policy names it, over HTTP and as a WebSocket."""
    feed = urlsplit(url)
    return f" {feed.scheme}://{feed.netloc} {feed.scheme.replace('http', 'ws')}://{feed.netloc}"


async def docs(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
    return FileResponse(_FILES / "docs.html", headers=_headers())


async def problem(request: Request) -> Response:
    """Lead from a problem's `type` to what the documentation says of it."""
    slug = request.path_params["slug"]
    if slug not in PROBLEMS:
        raise Problem("not-found")
    return RedirectResponse(f"/docs#problem-{slug}")


_board_files = _Static(_BOARD)

ROUTES: list[BaseRoute] = [
    Route("/", board),
    Route(f"/{_WORKER}", worker),
    Route("/dba", console),
    Mount("/dba/{build}", _Console(CONSOLE, _KEPT)),
    Route("/docs", docs),
    Route("/problems/{slug}", problem),
    Mount("/static", _Static(_FILES)),
    Mount("/assets", _Static(_BOARD / "assets", _KEPT)),
]
