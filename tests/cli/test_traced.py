"""With OpenTelemetry's SDK, a request, its write and its deliveries are one trace."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.cli.harness import Commands
from tests.cli.test_up import follow, port_of
from tests.support.database import Database
from tests.support.services import add_people
from tests.support.streams import EventStreamClient
from tests.support.until import until

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
ROOT = Path(__file__).parents[2]


async def test_a_request_and_its_deliveries_are_one_trace(production: Commands, database: Database) -> None:
    await add_people(database)
    file = production.folder / "spans"
    token = production.output("token", "ana", BOARDCAST_DEMO="true")

    def spans(name: str) -> list[dict[str, Any]]:
        complete = [line for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [span for span in map(json.loads, complete) if span["name"] == name]

    def delivered() -> list[dict[str, Any]]:
        return spans("boardcast deliver")

    production.env |= {"BOARDCAST_DEMO": "true", "PYTHONPATH": str(ROOT)}
    traced = (sys.executable, ROOT / "tests" / "cli" / "traced.py", file)
    with Commands(production.folder, production.env, 0, traced).serving("up") as up:
        clients = await follow(up, production)
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*", "X-Mutation-Id": "m-1"}
        async with httpx.AsyncClient(base_url=up.api, headers=headers, trust_env=False) as client:
            card = "/api/opportunities/o1"
            traceparent = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
            await client.patch(card, json={"title": "B"}, headers=traceparent)
            event = (await clients[0].next_event()).body
            # The span ends after the response was sent.
            (request,) = await until(lambda: spans("PATCH /api/opportunities/{id}"))
            assert request["parent_id"] == f"0x{CALLER}"
            context = request["context"]
            assert context["trace_id"] == f"0x{TRACE}"
            # The event carries the span of the request, a child of the caller's.
            assert event["traceparent"] == f"00-{TRACE}-{context['span_id'].removeprefix('0x')}-01"
            assert event["origin"] == "m-1"
            await until(lambda: len(delivered()) == 2, what="the feed's and the API's")
            for span in delivered():
                assert (span["context"]["trace_id"], span["parent_id"]) == (context["trace_id"], context["span_id"])
                assert span["attributes"]["boardcast.seq"] == event["seq"]
                assert span["start_time"] < span["end_time"]
            assert {s["attributes"]["boardcast.instance"].split("-")[0] for s in delivered()} == {"feed", "api"}
            # Without a caller's trace the API starts one; a write outside the API has none.
            await client.patch(card, json={"title": "C"})
            assert (await clients[0].next_event()).body["traceparent"][3:35] != TRACE
            await database.execute("UPDATE opportunities SET title = 'D' WHERE id = 'o1'")
            assert "traceparent" not in (await clients[0].next_event()).body
            # One span for all rows of a transaction.
            span_count = 4
            await until(lambda: len(delivered()) == span_count, what="two of each that had a trace")
            async with await database.connect(autocommit=False) as conn:
                await conn.execute("SELECT set_config('feed.traceparent', %s, true)", [traceparent["traceparent"]])
                await conn.execute(
                    "INSERT INTO opportunities (id, board_id, title) SELECT 'x' || n, 'b1', 'x' FROM generate_series(1, 50) AS n"
                )
            await until(lambda: len(delivered()) == span_count + 2)
            assert [span["attributes"]["boardcast.events"] for span in delivered()[span_count:]] == [50, 50]
            ticket = (await client.post("/api/events/ticket")).json()["ticket"]
            stream = await EventStreamClient.connect(port_of(up.api), f"/api/events?ticket={ticket}")
            await stream.next("auth_success")
            await stream.close()
        for each in clients:
            await each.close()
    text = file.read_text()
    assert ticket not in text
    assert token not in text
    assert spans("POST /api/events/ticket")
    assert not [line for line in text.splitlines() if "readyz" in line]
