"""The OpenAPI document is valid and complete, and the responses to requests generated from it conform."""

import asyncio
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Mount

from api import pages
from api.app import operations
from api.http.operation import Operation
from api.http.problems import PROBLEMS
from api.server import ApiServer
from tests.api.harness import Api

STREAMS = ("/api/events", "/api/trigger-log/stream")
"""They do not end. tests/contract/test_strict_streams.py sends them invalid input."""


async def test_the_document_is_valid_and_complete(api: Api) -> None:
    client = await api.client()
    document = (await client.get("/openapi.json")).json()
    validate(document)
    described = {
        (method.upper(), path.replace("{number}", "{number:int}"))
        for path, methods in document["paths"].items()
        for method in methods
    }
    routes = [route for route in api.app.routes if route not in pages.ROUTES]
    assert all(isinstance(route, Operation) for route in routes)
    assert described == {(route.method, route.path) for route in routes if isinstance(route, Operation)}
    names = [method["operationId"] for path in document["paths"].values() for method in path.values()]
    assert len(set(names)) == len(names)


def test_each_operation_has_a_summary_and_only_known_problems() -> None:
    for operation in operations():
        assert operation.summary
        assert operation.tag
        assert operation.responses
        assert set(operation.problems) <= set(PROBLEMS)


async def test_the_pages_are_served(api: Api) -> None:
    client = await api.client()
    for path, kind in {
        "/": "text/html",
        "/docs": "text/html",
        "/static/docs.js": "text/javascript",
        "/static/style.css": "text/css",
        "/static/icon.svg": "image/svg+xml",
    }.items():
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert any(isinstance(route, Mount) for route in pages.ROUTES)


async def test_the_schema_of_an_opportunity_has_the_columns_of_the_table(api: Api, ana: httpx.AsyncClient) -> None:
    card = await api.card(next_activity="Call")  # so that it has details, too
    document = (await ana.get("/openapi.json")).json()
    assert set(document["components"]["schemas"]["Opportunity"]["properties"]) == set(card)


@pytest.mark.parametrize("mode", GenerationMode, ids=str)
async def test_responses_to_generated_requests_conform(api: Api, mode: GenerationMode) -> None:
    dba = await api.user("ana", "dba")
    document = (await dba.get("/openapi.json")).json()
    for stream in STREAMS:
        del document["paths"][stream]
    cards = (await dba.get("/api/opportunities?limit=3")).json()["opportunities"]
    server = ApiServer(api.app, host="127.0.0.1", port=0)
    await server.start()
    headers = {"Authorization": dba.headers["Authorization"], "Accept-Encoding": "identity"}
    url, ids = f"http://127.0.0.1:{server.port}", [card["id"] for card in cards]
    try:
        called = await asyncio.to_thread(call_all_operations, document, url, headers, ids, mode)
    finally:
        await server.stop()
    assert called == {
        each["operationId"] for each in described_operations(document) if mode.is_positive or takes_invalid(each)
    }


def described_operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [method for path in document["paths"].values() for method in path.values()]


def takes_invalid(operation: dict[str, Any]) -> bool:
    """Whether not everything is valid input. A text without a pattern in a path or a header always is."""
    return "requestBody" in operation or any(
        each["in"] == "query" or "pattern" in each["schema"] or each["schema"].get("type") == "integer"
        for each in operation["parameters"]
    )


def call_all_operations(
    document: dict[str, Any], url: str, headers: dict[str, str], ids: list[str], mode: GenerationMode
) -> set[str]:
    """Send valid or invalid requests to each operation, and check the responses. Returns the names of the operations."""
    for operation in described_operations(document):
        operation["security"] = []  # otherwise it would generate tokens too, in place of ours
        for parameter in operation["parameters"]:
            if (parameter["in"], parameter["name"]) == ("path", "id"):
                parameter["schema"] = {"anyOf": [{"type": "string"}, {"enum": [*ids, "vendas"]}]}
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        negative_data_rejection,
    ]
    schema = schemathesis.openapi.from_dict(document)
    refusals = schema.config.checks.negative_data_rejection.expected_statuses
    schema.config.checks.negative_data_rejection.expected_statuses = [*refusals, "410"]  # of what is no cursor
    called: set[str] = set()
    with requests.Session() as session:
        for result in schema.get_all_operations():
            assert isinstance(result, Ok)
            described = result.ok()
            if mode.is_negative and not takes_invalid(described.definition.raw):
                continue

            @settings(
                max_examples=8,
                phases=[Phase.generate],
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            )
            @given(case=described.as_strategy(generation_mode=mode))
            def call(case: schemathesis.Case[Any]) -> None:
                called.add(case.operation.definition.raw["operationId"])
                case.call_and_validate(base_url=url, headers=headers, session=session, checks=checks)

            call()
    return called
