"""The check of the database for /readyz. See feed.system.shared_result for how many of them run."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrate
from db.readiness import NotReadyError, revision_fault

CHECK_TIMEOUT = 3.0
"""Seconds for the database to respond: those who call /readyz do not wait long."""


async def check_database(engine: AsyncEngine, newest: str) -> str:
    """Return "ok", or what is wrong. newest: the revision that this code knows."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT), engine.connect() as conn:
            revision = await conn.run_sync(migrate.current)
    except NotReadyError as error:
        return str(error)
    except (SQLAlchemyError, TimeoutError):
        return "unreachable"
    # Revisions are numbered. On a connection that is kept, a newer one is an upgrade under way, which the old version supports.
    if revision is not None and revision >= newest:
        return "ok"
    return ": ".join(revision_fault(revision, installed=revision is not None) or ("not migrated",))
