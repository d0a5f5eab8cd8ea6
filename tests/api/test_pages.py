"""The pages the API serves: the built board, the DBA's page, and their content security policy."""

import gzip
import re
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from api import pages
from api.fingerprints import directory_fingerprint
from api.http.compressed_files import CompressedFiles
from api.state import app_state
from tests.api.harness import Api, problem

ENTRY = '<html><head><meta name="build" content="" /><script src="/assets/index-abc.js"></script></head></html>'


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index.html of the test, so that the board need not be built."""
    page = tmp_path / "index.html"
    page.write_text(ENTRY)
    monkeypatch.setattr(pages, "ENTRY", page)
    return page


async def test_the_board_is_served_with_its_build_fingerprint(api: Api, entry: Path) -> None:
    client = await api.client()
    answer = await client.get("/")
    build = (await client.get("/api/config")).json()["build"]
    assert f'<meta name="build" content="{build}" />' in answer.text
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_the_content_security_policy_allows_only_our_origins(api: Api, entry: Path) -> None:
    client = await api.client()
    feed = (await client.get("/api/config")).json()["feedUrl"]
    policy = dict(
        part.strip().split(" ", 1) for part in (await client.get("/")).headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' {feed} {feed.replace('http', 'ws', 1)}"
    assert not any("unsafe" in each for each in policy.values())


async def test_without_a_build_the_board_names_the_build_command(
    api: Api, entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "ENTRY", entry.with_name("no-such.html"))
    answer = await (await api.client()).get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text
    assert re.match("text/html", answer.headers["Content-Type"])


async def test_files_named_by_content_hash_are_cached_forever(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await api.client()
    missing = await client.get("/assets/no-such.js")
    assert missing.status_code == 404
    assets = next(route for route in pages.ROUTES if getattr(route, "path", "") == "/assets")
    (tmp_path / "index-abc.js").write_text("1")
    monkeypatch.setattr(assets.app, "directory", tmp_path)  # type: ignore[attr-defined]
    monkeypatch.setattr(assets.app, "all_directories", [tmp_path])  # type: ignore[attr-defined]
    cached = await client.get("/assets/index-abc.js")
    assert cached.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_the_dba_page_uses_the_fingerprinted_folder(api: Api) -> None:
    client, build = await api.client(), app_state(api.app).console
    page = await client.get("/dba")
    assert page.headers["Cache-Control"] == "no-cache"
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "connect-src 'self';" in page.headers["Content-Security-Policy"]
    files = re.findall(r'(?:src|href)="(/dba/[^"]*)"', page.text)
    assert f"/dba/{build}/main.js" in files
    for path in files:
        answer = (await client.get(path)).raise_for_status()
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    problem(await client.get("/dba/00000000/main.js"), "not-found")
    assert (await client.get(f"/dba/{build}/no-such.js")).status_code == 404


async def test_all_imports_of_the_dba_page_are_served(api: Api) -> None:
    client, base = await api.client(), f"/dba/{app_state(api.app).console}/"
    fetched, waiting = set[str](), {base + "main.js", base + "style.css"}
    while waiting:
        path = waiting.pop()
        fetched.add(path)
        text = (await client.get(path)).raise_for_status().text if path.endswith((".js", ".css")) else ""
        found = re.findall(r'^import .*?from "(\.[^"]+)";|url\("([^"]+)"\)', text, re.MULTILINE)
        waiting |= {urljoin(path, module or file) for module, file in found} - fetched
    assert {f"{base}vendor/uPlot.js", f"{base}log/tail.js"} <= fetched


async def test_without_a_build_the_dba_page_names_the_build_command(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "CONSOLE", tmp_path)
    answer = await (await api.client()).get("/dba")
    assert answer.status_code == 503
    assert "make setup" in answer.text


def test_the_fingerprint_of_a_folder_covers_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.js").write_text("1")
    first = directory_fingerprint(tmp_path)
    assert re.fullmatch("[0-9a-f]{8}", first)
    (tmp_path / "a" / "one.js").rename(tmp_path / "a" / "two.js")
    second = directory_fingerprint(tmp_path)
    (tmp_path / "a" / "two.js").write_text("2")
    assert len({first, second, directory_fingerprint(tmp_path)}) == 3


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", "brotli"),
        ("gzip", "gzip", "let zipped"),
        ("br;q=0, gzip;q=0.5", "gzip", "let zipped"),
        ("identity", None, "let plain"),
    ],
)
async def test_a_file_is_served_in_the_best_encoding_that_the_client_accepts(
    tmp_path: Path, accepted: str, encoding: str | None, body: str
) -> None:
    (tmp_path / "a.js").write_text("let plain")
    (tmp_path / "a.js.br").write_bytes(b"brotli")  # httpx has no decoder for it, so the test can see it
    (tmp_path / "a.js.gz").write_bytes(gzip.compress(b"let zipped"))
    app = Starlette(routes=[Mount("/assets", CompressedFiles(tmp_path))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/assets/a.js", headers={"Accept-Encoding": accepted})
        etag = answer.headers["ETag"]
        again = await client.get("/assets/a.js", headers={"Accept-Encoding": accepted, "If-None-Match": etag})
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.text == body
    assert again.status_code == 304


async def test_a_file_without_compressed_copies_is_served_as_it_is(api: Api) -> None:
    client = await api.client()
    manifest = await client.get("/static/manifest.webmanifest")
    assert manifest.headers["Content-Type"] == "application/manifest+json"
    assert "Content-Encoding" not in manifest.headers
    icons = [icon["src"] for icon in manifest.json()["icons"]]
    assert [(await client.get(icon)).status_code for icon in icons] == [200] * len(icons)


async def test_a_large_start_is_compressed(api: Api) -> None:
    client = await api.user("ana")
    await api.card(notes="What was said. " * 200)
    plain = await client.get("/api/start", headers={"Accept-Encoding": "identity"})
    packed = await client.get("/api/start", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == plain.json()
