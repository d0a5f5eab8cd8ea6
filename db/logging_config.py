"""The services' own log: to standard error, in one format for boardcast and its libraries, as LOG_LEVEL and LOG_FORMAT say."""

import logging
import sys

import structlog
from structlog.types import Processor

from db.settings import Settings

# What libraries log at `info` does not help whoever runs the service.
_CHATTY = ("uvicorn", "aiohttp", "asyncio", "psycopg.pool", "sqlalchemy", "alembic")
# At `debug`, these log what they send and receive. What people wrote on their cards must not be in the log.
_INDISCREET = ("sqlalchemy.engine", "sse_starlette", "websockets")


def configure(settings: Settings) -> None:
    """Set up structlog, and the standard library's logging through it."""
    stream, level = sys.stderr, logging.getLevelNamesMapping()[settings.log_level.upper()]
    if settings.log_format == "json" or (settings.log_format == "auto" and not stream.isatty()):
        rendering: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # The plain traceback: a prettier one prints local variables, and so tokens and passwords.
        plain = structlog.dev.plain_traceback
        rendering = [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain)]
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*common, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, structlog.stdlib.add_logger_name], processors=[remove_meta, *rendering]
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING) if level > logging.DEBUG else level)
    for name in _INDISCREET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING) if level > logging.DEBUG else logging.INFO)
