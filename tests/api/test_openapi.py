"""The OpenAPI document is valid and complete, and the responses to requests generated from it conform."""

import asyncio
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
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
    card = await api.card()
    document = (await ana.get("/openapi.json")).json()
    assert set(document["components"]["schemas"]["Opportunity"]["properties"]) == set(card)


async def test_responses_to_generated_requests_conform(api: Api, ana: httpx.AsyncClient) -> None:
    document = (await ana.get("/openapi.json")).json()
    del document["paths"]["/api/events"]  # a stream does not end
    cards = (await ana.get("/api/opportunities?limit=3")).json()["opportunities"]
    server = ApiServer(api.app, host="127.0.0.1", port=0)
    await server.start()
    headers = {"Authorization": ana.headers["Authorization"], "Accept-Encoding": "identity"}
    try:
        await asyncio.to_thread(
            call_all_operations, document, f"http://127.0.0.1:{server.port}", headers, [card["id"] for card in cards]
        )
    finally:
        await server.stop()


def call_all_operations(document: dict[str, Any], url: str, headers: dict[str, str], ids: list[str]) -> None:
    for parameters in (method["parameters"] for path in document["paths"].values() for method in path.values()):
        for parameter in parameters:
            if (parameter["in"], parameter["name"]) == ("path", "id"):
                parameter["schema"] = {"anyOf": [{"type": "string"}, {"enum": [*ids, "vendas"]}]}
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
    ]
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=20, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
        @given(case=operation.as_strategy())
        def call(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(base_url=url, headers=headers, checks=checks)

        call()
