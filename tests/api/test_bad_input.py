"""Every invalid request is answered with its own problem, never with a 5xx."""

import json
from typing import Any

import httpx
import pytest

from api.http.parsing import MAX_BODY
from tests.api.harness import Api, problem

NEW = {"board_id": "vendas", "phase": "won", "title": "x"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("content", "slug"),
    [
        (b"", "invalid-json"),
        (b"{", "invalid-json"),
        (b'{"title": NaN}', "invalid-json"),
        (b"\xff\xfe", "invalid-json"),
        (b'{"title": "\xc3"}', "invalid-json"),
        (rb'{"board_id": "vendas", "phase": "won", "title": "\ud800"}', "invalid-json"),
        (b"[" * 100_000, "invalid-json"),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "invalid-json"),
        (b'{"title": "' + b"x" * MAX_BODY + b'"}', "body-too-large"),
        (b'{"value": 1' + b"0" * 400 + b"}", "invalid-json"),
        (b"null", "invalid-input"),
        (b"[]", "invalid-input"),
        (b"1", "invalid-input"),
        (json.dumps(NEW | {"title": "a\0b"}).encode(), "invalid-input"),
        (json.dumps(NEW | {"board_id": "a\0b"}).encode(), "invalid-input"),
    ],
)
async def test_an_unusable_body(ana: httpx.AsyncClient, content: bytes, slug: str) -> None:
    problem(await ana.post("/api/opportunities", content=content, headers=JSON), slug)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": "   "}, "/title"),
        ({"title": "x" * 301}, "/title"),
        ({"title": None}, "/title"),
        ({"title": 5}, "/title"),
        ({"title": {"$ne": 1}}, "/title"),
        ({"value": -1}, "/value"),
        ({"value": 1e12}, "/value"),
        ({"value": "1e99999"}, "/value"),
        ({"value": "NaN"}, "/value"),
        ({"value": "Infinity"}, "/value"),
        ({"value": 0.001}, "/value"),
        ({"value": True}, "/value"),
        ({"value": []}, "/value"),
        ({"value": "1e3"}, "/value"),
        ({"value": "1_0"}, "/value"),
        ({"value": " 5"}, "/value"),
        ({"currency": "BRLX"}, "/currency"),
        ({"currency": "brl"}, "/currency"),
        ({"currency": "BRL\n"}, "/currency"),
        ({"currency": None}, "/currency"),
        ({"probability": 101}, "/probability"),
        ({"probability": -1}, "/probability"),
        ({"probability": True}, "/probability"),
        ({"probability": 2**70}, "/probability"),
        ({"expected_close_date": "2027-02-30"}, "/expected_close_date"),
        ({"expected_close_date": "31/03/2027"}, "/expected_close_date"),
        ({"expected_close_date": 1700000000}, "/expected_close_date"),
        ({"position": ""}, "/position"),
        ({"position": "a00"}, "/position"),
        ({"position": "a1!"}, "/position"),
        ({"position": "z1"}, "/position"),
        ({"notes": "x" * 20_001}, "/notes"),
        ({"owner_id": ""}, "/owner_id"),
        ({"version_number": 7}, "/version_number"),
        ({"id": "mine"}, "/id"),
        ({"a~b/c": 1}, "/a~0b~1c"),
    ],
)
async def test_the_problem_points_to_an_invalid_field(api: Api, fields: dict[str, Any], pointer: str) -> None:
    ana = await api.user("ana")
    card = await api.card()
    posted = problem(await ana.post("/api/opportunities", json=NEW | fields), "invalid-input")
    assert pointer in [error["pointer"] for error in posted["errors"]]
    assert {"in", "pointer", "code", "detail"} == set(posted["errors"][0])
    path = f"/api/opportunities/{card['id']}"
    if fields != {"position": ""}:
        patched = problem(await ana.patch(path, json=fields, headers={"If-Match": "*"}), "invalid-input")
        assert pointer in [error["pointer"] for error in patched["errors"]]
    assert (await ana.get(path)).json() == card


async def test_all_errors_are_reported_at_once(ana: httpx.AsyncClient) -> None:
    body = problem(await ana.post("/api/opportunities", json={"value": -1, "colour": "red"}), "invalid-input")
    assert {error["pointer"] for error in body["errors"]} == {"/board_id", "/phase", "/title", "/value", "/colour"}


async def test_the_limits_themselves_are_valid(api: Api) -> None:
    card = await api.card(
        title="x" * 300, value=999_999_999_999.99, probability=100, notes="", expected_close_date="9999-12-31"
    )
    assert card["value"] == 999_999_999_999.99
    assert (await api.card(value="0.10", probability=0))["value"] == 0.1


async def test_a_phase_must_belong_to_the_board(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    body = problem(await ana.post("/api/opportunities", json=NEW | {"phase": "nope"}), "unknown-phase")
    assert body["phases"][0] == "prospecting"
    path = f"/api/opportunities/{card['id']}"
    problem(await ana.patch(path, json={"phase": "nope"}, headers={"If-Match": "*"}), "unknown-phase")


async def test_unknown_ids_and_paths(ana: httpx.AsyncClient) -> None:
    problem(await ana.post("/api/opportunities", json=NEW | {"board_id": "nowhere"}), "unknown-board")
    for id_ in ("nope", "x" * 3000, "%00", "%ff", "'; DROP TABLE users; --"):
        path = f"/api/opportunities/{id_}"
        problem(await ana.get(path), "unknown-opportunity")
        problem(await ana.patch(path, json={"title": "x"}, headers={"If-Match": '"v1"'}), "unknown-opportunity")
        problem(await ana.delete(path, headers={"If-Match": "*"}), "unknown-opportunity")
        problem(await ana.get(f"{path}/versions"), "unknown-opportunity")
    problem(await ana.get("/api/boards/%00"), "unknown-board")
    problem(await ana.get("/nothing/here"), "not-found")
    problem(await ana.get("/static/../app.py"), "not-found")
    problem(await ana.get("/problems/no-such-problem"), "not-found")


@pytest.mark.parametrize("tag", ["v1", '"v1', "", '"v1", "v2"', "1", '"a"b"'])
async def test_a_malformed_if_match(api: Api, ana: httpx.AsyncClient, tag: str) -> None:
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    problem(await ana.patch(path, json={"title": "y"}, headers={"If-Match": tag}), "invalid-if-match")
    problem(await ana.delete(path, headers={"If-Match": tag}), "invalid-if-match")


async def test_a_missing_if_match(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card()
    path = f"/api/opportunities/{card['id']}"
    problem(await ana.patch(path, json={"title": "y"}), "if-match-required")
    problem(await ana.delete(path), "if-match-required")


@pytest.mark.parametrize("name", ["", "x" * 201, "two words", b"\xe9"])
async def test_an_invalid_mutation_id(ana: httpx.AsyncClient, name: str | bytes) -> None:
    headers = {b"X-Mutation-Id": name if isinstance(name, bytes) else name.encode()}
    problem(await ana.post("/api/opportunities", json=NEW, headers=headers), "invalid-mutation-id")


async def test_an_unsupported_content_type(ana: httpx.AsyncClient) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "json"):
        headers = {"Content-Type": content_type}
        answer = await ana.post("/api/opportunities", content=json.dumps(NEW), headers=headers)
        problem(answer, "unsupported-media-type")


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/api/opportunities?limit=0", "/limit"),
        ("/api/opportunities?limit=501", "/limit"),
        ("/api/opportunities?limit=x", "/limit"),
        ("/api/opportunities?after=%00", "/after"),
        ("/api/opportunities/x/versions?before=99999999999", "/before"),
        ("/api/sync/opportunities?limit=-1", "/limit"),
        ("/api/sync/opportunities?limit=1_0", "/limit"),
        ("/api/sync/opportunities?limit=%2B5", "/limit"),
        ("/api/sync/opportunities?limit=%205", "/limit"),
        ("/api/sync/opportunities?limit=5.0", "/limit"),
        ("/api/sync/opportunities?limit=%D9%A3", "/limit"),
        (f"/api/sync/opportunities?limit={'9' * 5000}", "/limit"),
    ],
)
async def test_an_invalid_query_parameter(ana: httpx.AsyncClient, path: str, pointer: str) -> None:
    body = problem(await ana.get(path), "invalid-input")
    assert body["errors"][0]["pointer"] == pointer
    assert body["errors"][0]["in"] == "query"


@pytest.mark.parametrize("path", ["/api/trigger-log", "/api/dba/series"])
async def test_a_time_before_the_year_1_is_invalid(api: Api, path: str) -> None:
    dba = await api.user("ana", "dba")
    for age in ("999999d", "0001-01-01T00:00:00%2B12:00", "9999-12-31T23:59:59-12:00"):
        body = problem(await dba.get(f"{path}?since={age}"), "invalid-input")
        assert body["errors"][0]["pointer"] == "/since"


async def test_a_query_string_that_is_not_utf8(ana: httpx.AsyncClient) -> None:
    for text in ("%ff", "%ed%a0%80", "%c0%80"):
        problem(await ana.get(f"/api/opportunities?after={text}"), "invalid-input")


async def test_a_number_of_thousands_of_digits(api: Api, ana: httpx.AsyncClient) -> None:
    digits, path = "9" * 5000, f"/api/opportunities/{(await api.card())['id']}"
    problem(await ana.get(f"{path}/versions/{digits}"), "not-found")
    problem(await ana.post(f"{path}/versions/{digits}/restore", headers={"If-Match": "*"}), "not-found")
    problem(await ana.patch(path, json={"title": "y"}, headers={"If-Match": f'"v{digits}"'}), "stale-version")
    body = {"clientVersion": digits, "serverVersion": f"v{digits}", "resolution": "server"}
    faults = problem(await ana.post(f"{path}/resolve-conflict", json=body), "invalid-input")["errors"]
    assert {fault["pointer"] for fault in faults} == {"/clientVersion", "/serverVersion"}


@pytest.mark.parametrize("count", [False, True, "1", 1.5, -1, 2**53])
async def test_a_count_is_an_integer(ana: httpx.AsyncClient, count: object) -> None:
    held = {"count": 1, "hash": "0" * 8}
    body = {"cursor": "x", "expected": held, "held": held | {"count": count}}
    faults = problem(await ana.post("/api/boards/vendas/gaps", json=body), "invalid-input")["errors"]
    assert faults[0]["pointer"] == "/held/count"
    presence = {"baseVersion": 2**31 if count == 2**53 else count}
    faults = problem(await ana.put("/api/opportunities/x/presence", json=presence), "invalid-input")["errors"]
    assert faults[0]["pointer"] == "/baseVersion"


async def test_a_cursor_with_numbers_that_postgresql_does_not_have(ana: httpx.AsyncClient) -> None:
    feed, *_, tag = (await ana.get("/api/sync/opportunities")).json()["lastSync"].split(".")
    huge = "9" * 19
    for cursor in (f"{feed}.{huge}.{huge}..0.{tag}", f"{feed}.1.1..{huge}.{tag}", f"{feed}.1.{huge}.0-1.1.{tag}"):
        assert (
            problem(await ana.get(f"/api/sync/opportunities?since={cursor}"), "cursor-reset")["reason"] == "malformed"
        )


async def test_a_method_that_is_not_allowed(ana: httpx.AsyncClient) -> None:
    answer = await ana.put("/api/opportunities/x")
    problem(answer, "method-not-allowed")
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, PATCH"
