"""What the API serves to browsers besides JSON: the built board, and the policy that it runs under."""

import re
from pathlib import Path

import pytest

from api import pages
from tests.api.harness import Api

ENTRY = '<html><head><meta name="build" content="" /><script src="/assets/index-abc.js"></script></head></html>'


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A board of our own, so that none has to be built."""
    page = tmp_path / "index.html"
    page.write_text(ENTRY)
    monkeypatch.setattr(pages, "ENTRY", page)
    return page


async def test_the_board_is_served_with_the_name_of_its_build(api: Api, entry: Path) -> None:
    client = await api.anybody()
    answer = await client.get("/")
    build = (await client.get("/api/config")).json()["build"]
    assert f'<meta name="build" content="{build}" />' in answer.text
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_the_page_may_run_only_our_files_and_talk_only_to_us(api: Api, entry: Path) -> None:
    client = await api.anybody()
    feed = (await client.get("/api/config")).json()["feedUrl"]
    policy = dict(
        part.strip().split(" ", 1) for part in (await client.get("/")).headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' {feed} {feed.replace('http', 'ws', 1)}"
    assert not any("unsafe" in each for each in policy.values())


async def test_without_a_build_it_says_what_makes_one(api: Api, entry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ENTRY", entry.with_name("no-such.html"))
    answer = await (await api.anybody()).get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text
    assert re.match("text/html", answer.headers["Content-Type"])


async def test_a_file_that_is_named_by_its_contents_is_kept_for_good(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await api.anybody()
    missing = await client.get("/assets/no-such.js")
    assert missing.status_code == 404
    assets = next(route for route in pages.ROUTES if getattr(route, "path", "") == "/assets")
    (tmp_path / "index-abc.js").write_text("1")
    monkeypatch.setattr(assets.app, "directory", tmp_path)  # type: ignore[attr-defined]
    monkeypatch.setattr(assets.app, "all_directories", [tmp_path])  # type: ignore[attr-defined]
    kept = await client.get("/assets/index-abc.js")
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
