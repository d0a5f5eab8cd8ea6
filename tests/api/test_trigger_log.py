"""The trigger log for DBAs: filters, pages, one change, permissions."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from psycopg import AsyncConnection

from api.dba.gauge_history import Sample
from api.state import app_state
from tests.api.harness import HOST, Api, problem

LOG = "/api/trigger-log"


@pytest.fixture
async def maria(api: Api) -> httpx.AsyncClient:
    """A DBA who is not a member of any board."""
    return await api.user("maria", "dba")


async def seqs(client: httpx.AsyncClient, **params: str) -> list[int]:
    answer = (await client.get(LOG, params={"limit": "500"} | params)).raise_for_status().json()
    return [change["seq"] for change in answer["changes"]]


async def logged(api: Api, condition: str) -> list[int]:
    question = f"SELECT seq FROM feed.trigger_log WHERE {condition} ORDER BY seq DESC"  # noqa: S608 - the tests' own
    rows = await api.database.execute(question)
    return [row["seq"] for row in rows]


async def test_only_dbas_may_read_the_log(api: Api, ana: httpx.AsyncClient) -> None:
    for path in (LOG, f"{LOG}/1", f"{LOG}/stream", "/api/dba/overview", "/api/dba/series"):
        problem(await (await api.client()).get(path), "unauthenticated")
        assert "boardcast token USER --role dba" in problem(await ana.get(path), "dba-only")["detail"]


async def test_the_demo_signs_in_as_a_dba(api: Api, ana: httpx.AsyncClient) -> None:
    visitor = await api.client(Origin=f"http://{HOST}")
    entered = await visitor.post("/api/auth/token", json={"user": "ana", "role": "dba"})
    assert entered.json()["roles"] == ["dba"]
    assert (await visitor.get(LOG)).status_code == 200
    renewed = await visitor.post("/api/auth/refresh")
    assert renewed.json()["roles"] == ["dba"]
    assert (await ana.get("/api/auth/me")).json()["roles"] == []
    problem(await visitor.post("/api/auth/token", json={"user": "ana", "role": "king"}), "invalid-input")


async def test_a_token_is_exchanged_for_a_browser_session(api: Api) -> None:
    token = api.tokens.issue("maria", "Maria", timedelta(minutes=5), ("dba",))
    browser = await api.client(Origin=f"http://{HOST}")
    session = await browser.post("/api/auth/session", headers={"Authorization": f"Bearer {token}"})
    assert session.json()["user"]["id"] == "maria"
    assert "httponly" in session.headers["Set-Cookie"].lower()
    assert (await browser.get(LOG)).status_code == 200
    elsewhere = await api.client(Origin="http://evil.example", Authorization=f"Bearer {token}")
    problem(await elsewhere.post("/api/auth/session"), "wrong-origin")
    problem(await browser.post("/api/auth/session", headers={"Authorization": "Bearer no"}), "invalid-token")


async def test_each_filter_matches_the_view(api: Api, maria: httpx.AsyncClient) -> None:
    card = await api.card(title="50 % of a_b")
    await api.database.execute("UPDATE opportunities SET phase = 'won' WHERE board_id = 'parcerias'")
    await api.database.execute("DELETE FROM opportunities WHERE title = 'Contrato corporativo'")
    (xid,) = {change["xid"] for change in (await maria.get(f"{LOG}?op=delete")).json()["changes"]}
    for params, condition in (
        ({}, "true"),
        ({"board": "parcerias"}, "board = 'parcerias'"),
        ({"opportunity": card["id"]}, f"relation = 'opportunities' AND key = '{card['id']}'"),
        ({"table": "feed.board_members"}, "relation = 'feed.board_members'"),
        ({"table": "feed.boards", "key": "vendas"}, "relation = 'feed.boards' AND key = 'vendas'"),
        ({"key": card["id"]}, f"key = '{card['id']}'"),
        ({"actor": "ana"}, "actor = 'ana'"),
        ({"op": "delete"}, "op = 'delete'"),
        ({"origin": "seed"}, "origin = 'seed'"),
        ({"source": "api"}, "source = 'api'"),
        ({"xid": xid}, f"xid = '{xid}'"),
        ({"text": "50 % OF A_B"}, f"key = '{card['id']}'"),
        ({"text": "corporativo", "op": "delete"}, "op = 'delete'"),
    ):
        expected = await logged(api, condition)
        assert expected
        assert await seqs(maria, **params) == expected, params
    assert await seqs(maria, text="50 _ of") == []


async def test_a_time_range(api: Api, maria: httpx.AsyncClient) -> None:
    await api.database.execute("UPDATE feed.log SET at = at - interval '2 hours'")
    await api.card()
    (new,) = await seqs(maria, since="1h")
    assert new not in await seqs(maria, until="1h")
    assert len(await seqs(maria, until="1h")) == len(await seqs(maria)) - 1
    hour = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert await seqs(maria, since=hour) == [new]
    assert await seqs(maria, since=hour, until=hour) == []


@pytest.mark.parametrize(
    ("params", "pointer", "advice"),
    [
        ({"colour": "red"}, "/colour", "the parameters are board, opportunity, table"),
        ({"op": "upsert"}, "/op", "'insert'"),
        ({"since": "yesterday"}, "/since", "2027-01-31T12:00Z, or an age such as 15m"),
        ({"until": "99999999999d"}, "/until", "an age such as"),
        ({"limit": "501"}, "/limit", "500"),
        ({"before": "0"}, "/before", "1"),
        ({"before": "9" * 30}, "/before", "up to 19 digits"),
        ({"xid": "-1"}, "/xid", "pattern"),
        ({"text": "\0"}, "/text", "U+0000"),
    ],
)
async def test_an_invalid_filter_gets_advice(
    maria: httpx.AsyncClient, params: dict[str, str], pointer: str, advice: str
) -> None:
    (error,) = problem(await maria.get(LOG, params=params), "invalid-input")["errors"]
    assert error["pointer"] == pointer
    assert advice in error["detail"]


async def test_opportunity_and_table_exclude_each_other(maria: httpx.AsyncClient) -> None:
    problem(await maria.get(LOG, params={"opportunity": "o1", "table": "feed.boards"}), "invalid-input")


async def test_pages_are_complete_during_concurrent_writes(api: Api, maria: httpx.AsyncClient) -> None:
    await api.database.execute(
        "INSERT INTO opportunities (board_id, phase, title) SELECT 'vendas', 'won', 'n' FROM generate_series(1, 200)"
    )
    before = await logged(api, "true")
    done = asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            await api.database.execute("UPDATE opportunities SET value = value + 1 WHERE title = 'n'")

    writer = asyncio.create_task(write())
    found: list[int] = []
    params = {"limit": "7"}
    try:
        while True:
            page = (await maria.get(LOG, params=params)).raise_for_status().json()
            found += [change["seq"] for change in page["changes"]]
            if page["next"] is None:
                break
            params["before"] = str(page["next"])
    finally:
        done.set()
        await writer
    assert found == sorted(set(found), reverse=True)
    assert [seq for seq in found if seq <= before[0]] == before


async def test_a_long_search_continues_over_pages_and_finds_the_row(
    api: Api, maria: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.changelog.trigger_log._PATIENCE", 0.0)
    await api.card(title="needle")
    await api.database.execute(
        "INSERT INTO opportunities (board_id, phase, title) SELECT 'vendas', 'won', 'hay' FROM generate_series(1, 2500)"
    )
    params, pages = {"text": "needle"}, []
    while True:
        page = (await maria.get(LOG, params=params)).raise_for_status().json()
        pages.append(page)
        if page["next"] is None:
            break
        params["before"] = str(page["next"])
    assert [page["whole"] for page in pages] == [False, False, True]
    assert [len(page["changes"]) for page in pages] == [0, 0, 1]
    assert pages[0]["back"] > pages[-1]["back"]


async def test_one_change_with_its_transaction_and_explanation(api: Api, maria: httpx.AsyncClient) -> None:
    card = await api.card(value="12.50")
    async with await AsyncConnection.connect(api.database.url) as conn:
        await conn.execute("UPDATE opportunities SET value = 12.60 WHERE id = %s", [card["id"]])
        await conn.execute("UPDATE feed.boards SET name = 'New' WHERE id = 'vendas'")
    second, first = (await maria.get(f"{LOG}?limit=2")).json()["changes"]
    answer = await maria.get(f"{LOG}/{first['seq']}")
    assert '"value": 12.60' in answer.text
    detail = answer.json()
    assert {name: detail["change"][name] for name in first} == first
    assert (detail["change"]["old"]["value"], detail["change"]["new"]["value"]) == (12.5, 12.6)
    assert [change["seq"] for change in detail["transaction"]] == [first["seq"], second["seq"]]
    assert detail["transaction_whole"] is True
    assert [step["step"] for step in detail["explain"]][:5] == ["transaction", "write", "from", "commit", "notify"]


async def test_a_large_transaction_is_truncated(api: Api, maria: httpx.AsyncClient) -> None:
    await api.database.execute(
        "INSERT INTO opportunities (board_id, phase, title) SELECT 'vendas', 'won', 'n' FROM generate_series(1, 150)"
    )
    (newest,) = await seqs(maria, limit="1")
    detail = (await maria.get(f"{LOG}/{newest}")).json()
    assert len(detail["transaction"]) == 100
    assert detail["transaction_whole"] is False


async def test_a_missing_change_has_its_reason(api: Api, maria: httpx.AsyncClient) -> None:
    (newest,) = await seqs(maria, limit="1")
    for seq, why in (
        ("0", "start at 1"),
        (str(newest + 1), "not been written"),
        ("9" * 18, "not been written"),
        ("9" * 40, "a number"),
        ("seven", "a number"),
    ):
        assert why in problem(await maria.get(f"{LOG}/{seq}"), "unknown-change")["detail"], seq
    async with await AsyncConnection.connect(api.database.url) as conn:
        await conn.execute("UPDATE opportunities SET value = 1")
        await conn.rollback()
    await api.card()
    gone = newest + 1
    assert "rolled back" in problem(await maria.get(f"{LOG}/{gone}"), "unknown-change")["detail"]
    await api.database.execute("SELECT feed.prune(now() + interval '1 hour')")
    assert "pruned" in problem(await maria.get(f"{LOG}/{gone}"), "unknown-change")["detail"]


async def test_a_large_row_is_complete_in_the_detail_and_short_in_the_list(api: Api, maria: httpx.AsyncClient) -> None:
    await api.database.execute(
        "UPDATE opportunities SET notes = repeat('x', 1000000), title = 'Long' WHERE id IN (SELECT min(id) FROM opportunities)"
    )
    page = await maria.get(f"{LOG}?limit=1&text=Long")
    assert len(page.content) < 3_000
    detail = (await maria.get(f"{LOG}/{page.json()['changes'][0]['seq']}")).json()
    assert len(detail["change"]["new"]["notes"]) == 1_000_000


async def test_the_overview_shows_the_views(api: Api, maria: httpx.AsyncClient) -> None:
    found = (await maria.get("/api/dba/overview")).raise_for_status().json()
    topics = await api.database.execute("SELECT topic FROM feed.health ORDER BY nr")
    assert [each["topic"] for each in found["health"]] == [row["topic"] for row in topics]
    assert {each["state"] for each in found["triggers"]} == {"on"}
    assert found["retention_seconds"] == 90 * 86_400
    newest, *_, oldest = await seqs(maria)
    assert (found["retention"][0]["first_seq"], found["retention"][0]["last_seq"]) == (oldest, newest)
    assert found["flags"] == []
    await api.database.execute(
        "INSERT INTO feed.flags (flag, scope, percentage, value) VALUES ('realtime', 'percentage', 10, 'sse')"
    )
    ((rule),) = (await maria.get("/api/dba/overview")).raise_for_status().json()["flags"]
    known = {name: rule[name] for name in ("flag", "scope", "user_id", "percentage", "value")}
    assert known == {"flag": "realtime", "scope": "percentage", "user_id": None, "percentage": 10, "value": "sse"}
    assert rule["set_by"]
    assert found["gaps"] == []


async def test_the_newest_gaps_are_in_the_overview(api: Api, maria: httpx.AsyncClient) -> None:
    await api.database.execute(
        "INSERT INTO feed.gap_reports"
        " (at, instance, board, cursor, expected_count, expected_hash, held_count, held_hash, cause, cards)"
        " SELECT now() - make_interval(mins => n), 'feed-1', 'vendas', 'c', n, 'a', 0, 'b', 'unlogged', '{o1,o2}'"
        " FROM generate_series(1, 60) AS n"
    )
    gaps = (await maria.get("/api/dba/overview")).raise_for_status().json()["gaps"]
    assert [gap["expected_count"] for gap in gaps] == list(range(1, 51))
    assert (gaps[0]["cause"], gaps[0]["cards"], gaps[0]["user_id"]) == ("unlogged", ["o1", "o2"], None)
    assert "bypassed the triggers" in gaps[0]["meaning"]


async def test_written_changes_are_counted_by_time(api: Api, maria: httpx.AsyncClient) -> None:
    await api.database.execute(
        "INSERT INTO opportunities (board_id, phase, title) SELECT 'vendas', 'won', 'n' FROM generate_series(1, 1000)"
    )
    total = len(await logged(api, "true"))
    await api.database.execute("UPDATE feed.log SET at = now() - interval '90 minutes', notified = false")
    await api.card()
    found = (await maria.get("/api/dba/series", params={"since": "4h", "until": "1h"})).raise_for_status().json()
    written, step = found["written"], found["step"]
    assert len({len(column) for column in written.values()}) == 1
    assert sum(written["changes"]) * step == pytest.approx(total)
    assert sum(written["quiet"]) * step == pytest.approx(total)
    assert sum(written["notified"]) == 0
    problem(await maria.get("/api/dba/series", params={"since": "1h", "until": "2h"}), "invalid-input")


async def test_deliveries_are_counted_by_time(api: Api, maria: httpx.AsyncClient) -> None:
    await api.database.execute(
        "INSERT INTO feed.delivery_journal (instance, read_at, delivered_at, since, cursor, reads, events,"
        " deliveries, clients, late)"
        " SELECT 'feed-1', l.at, l.at + interval '40 ms', 'f.1.1..' || l.seq - 1 || '.t', 'f.1.1..' || l.seq || '.t', 1, 1, 7, 7, 0"
        " FROM feed.log AS l ORDER BY l.seq DESC LIMIT 1"
    )
    await api.database.execute("UPDATE feed.log SET at = at - interval '2 min'")
    await api.database.execute("UPDATE feed.delivery_journal SET delivered_at = delivered_at - interval '2 min'")
    found = (await maria.get("/api/dba/series", params={"since": "15m"})).raise_for_status().json()
    delivered = found["delivered"]
    assert sum(delivered["deliveries"]) * found["step"] == pytest.approx(7)
    (known,) = [
        each
        for each in zip(delivered["median"], delivered["p95"], delivered["slowest"], strict=True)
        if each[0] is not None
    ]
    assert known == pytest.approx((0.04, 0.04, 0.04))


async def test_gauges_show_the_maximum_of_each_interval(api: Api, maria: httpx.AsyncClient) -> None:
    samples = app_state(api.app).gauge_history.samples
    begin = time.time() // 900 * 900 - 1800
    samples += [Sample(begin + 1, 0.5, 1, 9), Sample(begin + 12, None, None, None), Sample(begin + 23, 0.1, 3, 2)]
    samples.append(Sample(begin + 901, None, None, None))
    gauges = (await maria.get("/api/dba/series", params={"since": "24h"})).raise_for_status().json()["gauges"]
    assert gauges == {
        "at": [begin, begin + 900],
        "queue": [0.5, None],
        "log_bytes": [3, None],
        "connections": [9, None],
    }
    gauges = (await maria.get("/api/dba/series", params={"since": "1h"})).raise_for_status().json()["gauges"]
    assert gauges["at"] == [begin, begin + 900]  # intervals of half a minute
