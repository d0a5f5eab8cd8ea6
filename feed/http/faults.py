"""What aiohttp logs about its connections: a client's error becomes one short line, the service's own keep their traceback.

Invariant: these lines contain nothing that a client sent.
"""

import logging

import structlog
from aiohttp import http_exceptions, web_protocol

_OF_CLIENTS = (http_exceptions.HttpProcessingError, web_protocol.RequestPayloadError, ConnectionError)

log = structlog.get_logger()


class _ClientFaults(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, _OF_CLIENTS):
            return True
        if isinstance(error, ConnectionError):
            log.debug("connection lost during response", error=type(error).__name__)
        else:
            log.debug("malformed request", error=type(error).__name__)
        return False


logger = logging.getLogger("feed.http")
"""The logger for aiohttp's server."""
logger.addFilter(_ClientFaults())
# It quotes the subprotocols that a client offers. Some clients put their token there.
logging.getLogger("aiohttp.websocket").addFilter(lambda _: False)
