"""A fault of ours is logged at error, with its traceback, wherever it happens."""

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


def _mistaken(*_: object) -> None:
    raise RuntimeError("a mistake")


async def test_in_a_message_of_a_websocket(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await services.open("websocket")
    assert isinstance(client, WebSocketClient)
    monkeypatch.setattr((await services.hub("websocket")).client_positions, "record", _mistaken)
    with capture_logs() as logs:
        await client.send({"type": "ping", "cursor": client.cursor})
        await client.end()
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line["exc_info"]


async def test_in_a_request_to_the_feed(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    port = await services.feed()
    monkeypatch.setattr(await services.hub("websocket"), "health", _mistaken)
    with capture_logs() as logs:
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 500
    (line,) = [line for line in logs if line["log_level"] == "error"]
    assert line["exc_info"]


async def test_in_an_answer_of_the_api_that_has_begun(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    async def begun() -> AsyncIterator[bytes]:
        yield b"begun"
        _mistaken()

    async def handler(request: Request) -> Response:
        return StreamingResponse(begun())

    async with services.asking() as client:
        assert services._api is not None
        services._api._app.router.routes[:0] = [Route("/begun", handler)]
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/begun")
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert "a mistake" in str(record.exc_info[1])


@pytest.mark.parametrize(("error", "kept"), [(RuntimeError("ours"), True), (ConnectionResetError("theirs"), False)])
def test_in_aiohttp(caplog: pytest.LogCaptureFixture, error: Exception, kept: bool) -> None:
    with capture_logs():
        logger.error("Unhandled exception", exc_info=error)
    assert bool(caplog.records) is kept
