"""Pages of the allowed origins may call every route of both services, and read what they need; others may not."""

import httpx
import pytest

from api.app import operations
from tests.support.services import ORIGIN, Services

SENT = (
    "authorization, cache-control, content-type, if-match, if-none-match, last-event-id, "
    "traceparent, x-feed-cursor, x-mutation-id, x-request-id"
)
ROUTES = [
    *(("feed", "GET", path) for path in ("/ws", "/sse", "/healthz", "/readyz", "/metrics", "/nowhere")),
    *(("api", operation.method, operation.path) for operation in operations()),
]


async def _client(services: Services, service: str) -> httpx.AsyncClient:
    port = await (services.feed() if service == "feed" else services.api())
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)


def _listed(response: httpx.Response, name: str) -> set[str]:
    return {value.strip().lower() for value in response.headers.get(name, "").split(",")}


@pytest.mark.parametrize("service", ["feed", "api"])
async def test_every_route_answers_a_preflight(services: Services, service: str) -> None:
    async with await _client(services, service) as client:
        for method, path in ((method, path) for name, method, path in ROUTES if name == service):
            asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": SENT}
            allowed = await client.options(path, headers=asked | {"Origin": ORIGIN})
            assert allowed.is_success, (path, allowed.text)
            assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
            assert method.lower() in _listed(allowed, "Access-Control-Allow-Methods")
            assert set(SENT.split(", ")) <= _listed(allowed, "Access-Control-Allow-Headers")
            assert "origin" in _listed(allowed, "Vary")
            assert int(allowed.headers["Access-Control-Max-Age"]) > 0
            for origin in ("http://evil.example", "null", f"{ORIGIN}.evil.example"):
                refused = await client.options(path, headers=asked | {"Origin": origin})
                assert refused.is_client_error
                assert not any(name.startswith("access-control-") for name in refused.headers)


@pytest.mark.parametrize("service", ["feed", "api"])
async def test_a_preflight_from_a_public_page_to_a_private_address(services: Services, service: str) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Private-Network": "true",
    }
    async with await _client(services, service) as client:
        answer = await client.options("/sse" if service == "feed" else "/api/events", headers=headers)
    assert answer.is_success
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("feed", "/sse"),
        ("feed", "/ws"),
        ("feed", "/healthz"),
        ("feed", "/nowhere"),
        ("api", "/api/events"),
        ("api", "/api/boards"),
        ("api", "/nowhere"),
    ],
)
async def test_an_allowed_page_may_read_responses_and_problems(services: Services, service: str, path: str) -> None:
    async with await _client(services, service) as client:
        answer = await client.get(path, headers={"Origin": ORIGIN})
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert {"retry-after", "x-request-id"} <= _listed(answer, "Access-Control-Expose-Headers")
        assert "origin" in _listed(answer, "Vary")
        for headers in ({}, {"Origin": "http://evil.example"}):
            answer = await client.get(path, headers=headers)
            assert not any(name.startswith("access-control-") for name in answer.headers)
            assert "origin" in _listed(answer, "Vary")


async def test_no_response_of_the_feed_names_the_server(services: Services) -> None:
    async with await _client(services, "feed") as client:
        for path in ("/healthz", "/metrics", "/sse", "/ws", "/nowhere"):
            answer = await client.get(path)
            assert "Server" not in answer.headers, path
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path


async def test_a_stream_may_be_read_by_an_allowed_page(services: Services) -> None:
    for stream in ("sse", "api-events"):
        headers = {"Authorization": f"Bearer {services.token()}", "Origin": ORIGIN}
        client = await services.request_stream(stream, headers=headers)
        assert client.headers["access-control-allow-origin"] == ORIGIN
        assert client.headers["access-control-allow-credentials"] == "true"
        assert "x-request-id" in client.headers["access-control-expose-headers"]
        await client.next("auth_success")
