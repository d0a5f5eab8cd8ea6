"""The API with the feed in its process: ready only while the feed is live, with one page of metrics for both."""

import httpx

from feed.runtime import Runtime
from tests.api.harness import Api, problem


async def test_the_api_is_ready_while_the_feed_is(api: Api, runtime: Runtime) -> None:
    client = await api.client()
    assert (await client.get("/readyz")).json()["checks"] == {"database": "ok", "feed": "ok"}
    runtime.drain()
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["feed"]) == (503, "not live")


async def test_one_page_of_metrics_has_both(api: Api, runtime: Runtime, ana: httpx.AsyncClient) -> None:
    client = await api.client()
    await client.get("/healthz")
    text = (await client.get("/metrics")).text
    assert "boardcast_listener_up 1.0" in text
    assert "boardcast_http_requests_total" in text


async def test_a_stream_needs_a_token_or_a_valid_ticket(api: Api, runtime: Runtime) -> None:
    client = await api.client()
    problem(await client.get("/api/events"), "unauthenticated")
    problem(await client.get("/api/events?ticket=nope"), "invalid-ticket")
    problem(await client.get("/api/events", headers={"Origin": "https://elsewhere.example"}), "wrong-origin")
    used = (await (await api.user("ana")).post("/api/events/ticket")).json()["ticket"]
    assert await runtime.redeem_ticket(used) is not None
    problem(await client.get("/api/events", params={"ticket": used}), "invalid-ticket")
    runtime.drain()
    problem(
        await client.get("/api/events", headers={"Authorization": f"Bearer {api.tokens.issue('ana', 'A', 60)}"}),
        "draining",
    )
