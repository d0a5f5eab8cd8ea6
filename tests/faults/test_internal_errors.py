"""An internal error is logged at error level with its traceback, wherever it happens."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from feed.http.faults import logger
from tests.support.services import Services
from tests.support.streams import WebSocketClient


def _fail(*_: object) -> None:
    raise RuntimeError("a bug")


async def test_an_error_in_a_websocket_message_is_logged(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    monkeypatch.setattr((await services.runtime("websocket")).client_positions, "record", _fail)
    with capture_logs() as logs:
        await client.send({"type": "ping", "cursor": client.cursor})
        await client.wait_closed()
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line["exc_info"]


async def test_an_error_in_a_feed_request_is_logged(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    port = await services.feed()
    monkeypatch.setattr("feed.http.server.health", _fail)
    with capture_logs() as logs:
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 500
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line["exc_info"]


async def test_an_error_in_a_started_api_response_is_logged(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    async def started() -> AsyncIterator[bytes]:
        yield b"started"
        _fail()

    async def handler(request: Request) -> Response:
        return StreamingResponse(started())

    async with services.api_client() as client:
        assert services._api is not None
        services._api._app.router.routes[:0] = [Route("/started", handler)]
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/started")
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert "a bug" in str(record.exc_info[1])


@pytest.mark.parametrize(("error", "logged"), [(RuntimeError("ours"), True), (ConnectionResetError("theirs"), False)])
def test_an_error_in_aiohttp_is_logged_unless_the_client_caused_it(
    caplog: pytest.LogCaptureFixture, error: Exception, logged: bool
) -> None:
    with capture_logs():
        logger.error("Unhandled exception", exc_info=error)
    assert bool(caplog.records) is logged
