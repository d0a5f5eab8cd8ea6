"""Authentication: tokens, session cookies, origins."""

import base64
import json
import time

import httpx
import jwt
import pytest

from api.state import app_state
from tests.api.harness import HOST, SECRET, Api, problem

NEW = {"board_id": "vendas", "phase": "won", "title": "x"}


def unsigned(claims: dict[str, object]) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)
    ]
    return ".".join([*parts, ""])


async def test_requests_without_a_token_are_refused(api: Api) -> None:
    client = await api.client()
    for path in ("/api/boards", "/api/opportunities", "/api/sync/opportunities", "/api/auth/me"):
        answer = await client.get(path)
        problem(answer, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    problem(await client.post("/api/events/ticket"), "unauthenticated")
    problem(await client.get("/api/boards", headers={"Authorization": "Basic YTpi"}), "unauthenticated")


async def test_invalid_tokens_are_refused(api: Api) -> None:
    now = int(time.time())
    good: dict[str, object] = {"sub": "ana", "name": "Ana", "exp": now + 60}
    bad = {
        jwt.encode(good | {"exp": now - 60}, SECRET): "expired-token",
        jwt.encode(good, SECRET[::-1]): "invalid-token",
        jwt.encode(good, SECRET + SECRET, algorithm="HS512"): "invalid-token",
        jwt.encode({"sub": "ana"}, SECRET): "invalid-token",
        jwt.encode({"exp": now + 60}, SECRET): "invalid-token",
        jwt.encode(good | {"sub": ""}, SECRET): "invalid-token",
        jwt.encode(good | {"sub": "a\0"}, SECRET): "invalid-token",
        jwt.encode(good | {"nbf": now + 600}, SECRET): "invalid-token",
        unsigned(good): "invalid-token",
        "x" * 10_000: "invalid-token",
        "a.b.c": "invalid-token",
    }
    client = await api.client()
    for token, slug in bad.items():
        problem(await client.get("/api/boards", headers={"Authorization": f"Bearer {token}"}), slug)
    answer = await client.get("/api/auth/me", headers={"Authorization": f"bearer {jwt.encode(good, SECRET)}"})
    assert answer.json()["user"] == {"id": "ana", "name": "Ana"}


async def test_the_demo_signs_in_by_name_and_sets_a_session_cookie(api: Api) -> None:
    client = await api.client()
    users = (await client.get("/api/auth/users")).json()["users"]
    assert [user["id"] for user in users] == ["ana", "bruno", "carla", "diego"]
    answer = await client.post("/api/auth/token", json={"user": "bruno"}, headers={"Origin": f"http://{HOST}"})
    assert answer.json()["user"] == {"id": "bruno", "name": "Bruno Lima"}
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await api.tokens.verify(answer.json()["token"])).user_id == "bruno"
    assert (await client.get("/api/auth/me")).json()["expiresAt"] == answer.json()["expiresAt"]
    assert len((await client.get("/api/boards")).json()["boards"]) == 2
    assert (await client.delete("/api/auth/token")).status_code == 204
    problem(await client.get("/api/boards"), "unauthenticated")
    problem(await client.post("/api/auth/token", json={"user": "nobody"}), "unknown-user")
    problem(await client.post("/api/auth/token", json={"user": "a\0"}), "invalid-input")
    foreign = {"Origin": "https://elsewhere.example"}
    problem(await client.post("/api/auth/token", json={"user": "ana"}, headers=foreign), "wrong-origin")


@pytest.mark.parametrize(
    "path", ["/", "/api/auth/users", "/api/config", "/api/boards", "/docs", "/problems/conflict", "/nowhere"]
)
async def test_a_name_that_is_not_known_is_refused(api: Api, path: str) -> None:
    """The name of another site may have been made to resolve to this address."""
    rebound = await api.client(Host="evil.example:8000", Origin="http://evil.example:8000")
    problem(await rebound.get(path), "wrong-host")
    problem(await rebound.post("/api/auth/token", json={"user": "ana", "role": "dba"}), "wrong-host")
    assert (await rebound.get("/healthz")).status_code == 200
    own = {"Authorization": f"Bearer {api.tokens.issue('ana', 'Ana', 60)}"}
    assert (await rebound.get("/api/boards", headers=own)).status_code == 200


@pytest.mark.parametrize("path", ["/api/boards/", "/docs/", "/dba/", "/static", "/assets", "/problems/conflict"])
async def test_no_redirect_repeats_the_host(api: Api, path: str) -> None:
    client = await api.client(Authorization="Bearer x", Host="evil.example")
    answer = await client.get(path)
    assert "evil" not in answer.headers.get("Location", "")
    assert answer.status_code in {307, 404}


@pytest.mark.parametrize("path", ["/metrics%0a", "/metrics%0A", "/metrics/", "/metrics%00", "/metrics;x", "/readyz%0a"])
async def test_no_other_path_is_taken_for_one_that_proxies_hide(api: Api, path: str) -> None:
    problem(await (await api.client()).get(path), "not-found")


async def test_every_response_is_of_its_declared_type_and_names_no_server(api: Api) -> None:
    client = await api.client()
    for path in ("/healthz", "/api/config", "/api/boards", "/nowhere", "/docs", "/static/style.css", "/metrics"):
        answer = await client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert "Server" not in answer.headers


async def test_the_cookie_is_for_https_only_behind_a_proxy_that_ends_tls(api: Api) -> None:
    origin = "https://board.example"
    app_state(api.app).settings = api.settings.model_copy(update={"origins": (origin,)})
    client = await api.client(
        Host="board.example", Origin=origin, Authorization=f"Bearer {api.tokens.issue('ana', 'Ana', 60)}"
    )
    for answer in (await client.post("/api/auth/session"), await client.delete("/api/auth/token")):
        assert "Secure" in answer.headers["Set-Cookie"]


async def test_sign_in_by_name_works_only_in_the_demo(api: Api) -> None:
    app_state(api.app).settings = api.settings.model_copy(update={"demo": False})
    client = await api.client()
    problem(await client.post("/api/auth/token", json={"user": "ana"}), "no-demo")
    problem(await client.get("/api/auth/users"), "no-demo")
    assert (await client.get("/api/config")).json()["demo"] is False


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (f"http://{HOST}", True),
        ("http://localhost:8000", True),
        (None, False),
        ("null", False),
        ("https://elsewhere.example", False),
        (f"http://{HOST}.elsewhere.example", False),
        ("http://127.0.0.1:3000", False),
        ("http://[", False),
    ],
)
async def test_a_session_cookie_writes_only_from_allowed_origins(api: Api, origin: str | None, allowed: bool) -> None:
    client = await api.client()
    client.cookies.set("boardcast_session", api.tokens.issue("ana", "Ana", 60))
    headers = {"Origin": origin} if origin else {}
    for answer in (
        await client.post("/api/opportunities", json=NEW, headers=headers),
        await client.post("/api/events/ticket", headers=headers),
    ):
        if allowed:
            assert answer.status_code == 201
        else:
            problem(answer, "wrong-origin")
    assert (await client.get("/api/boards", headers=headers)).status_code == 200


async def test_a_bearer_token_writes_from_any_origin(ana: httpx.AsyncClient) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    answer = await ana.post("/api/opportunities", json=NEW, headers=headers)
    assert answer.status_code == 201
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_allowed_origins_may_read_the_headers_they_need(ana: httpx.AsyncClient) -> None:
    headers = {"Origin": "http://localhost:8000"}
    answer = await ana.get("/api/opportunities/nope", headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:8000"
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed >= {
        "ETag",
        "Location",
        "Link",
        "Retry-After",
        "X-Request-ID",
        "X-Event-Xid",
        "X-Feed-Cursor",
        "Date",
    }
    requested = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "if-match,x-mutation-id"}
    preflight = await ana.options("/api/opportunities/x", headers=headers | requested)
    assert preflight.status_code == 200
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
