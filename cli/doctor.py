"""Is all well: the connections as they are named here, the server, what this role may do, and what the feed says of itself.

Invariant: what cannot be looked at is said to be unknown, and who may look; what is not well has its cure. Nothing is changed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

import typer

from cli import diagnosis, probe
from cli.connect import read_settings, url_of
from cli.failures import DATABASE, FOUND, FailureError
from cli.output import Json, clean, objects, put, show
from db import doctor as asking
from db.doctor import BAD, OK, UNKNOWN, WARNING, Finding
from db.settings import Settings

_COLOURS = {OK: "green", WARNING: "yellow", BAD: "bold red", UNKNOWN: "dim"}
_PATIENCE = 60.0


def doctor(*, json: Json = False) -> None:
    """Find what is wrong, and say how to mend it.

    Looks at the connections that are set here, the server, the rights of this role, and all of feed.health. Nothing is changed.
    Ends with status 5 if something is not well; what could not be looked at is unknown, and does not count.
    """
    # What befalls a connection is said in one line.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    findings = asyncio.run(_collected(read_settings(), json=json))
    if not json:
        _show(findings)
    if not all(finding.well for finding in findings):
        raise typer.Exit(FOUND)


async def _collected(settings: Settings, *, json: bool) -> list[Finding]:
    findings = []
    try:
        async with asyncio.timeout(_PATIENCE):
            async for finding in _examined(settings):
                findings.append(finding)
                if json:
                    objects(finding._asdict())
    except TimeoutError:
        raise FailureError(DATABASE, "the database has stopped answering while it was looked at") from None
    return findings


async def _examined(settings: Settings) -> AsyncIterator[Finding]:
    url, direct = url_of(settings), settings.listen_database_url
    async with probe.opened(url) as conn:
        server = await asking.server(conn)
        yield diagnosis.connection("database", conn, server)
        yield diagnosis.primary(server)
        yield asking.version(server.version)
        yield diagnosis.clock(await probe.clock(conn))
        yield await diagnosis.pooler(conn, url, direct=direct is not None)
        yield await diagnosis.listen(conn, direct or url, named=direct is not None)
        for finding in await asking.settings(conn, server.role):
            yield finding
        if not server.installed:
            yield Finding("installed", BAD, "boardcast is not in this database", "boardcast migrate")
            return
        if server.standby:
            yield Finding("health", UNKNOWN, "feed.health is asked of the primary")
            return
        if settings.replica_url is not None:
            yield await diagnosis.standby(conn, settings.replica_url, settings.replica_lag, server.role)
        yield await asking.rights(conn)
        yield diagnosis.disk(conn, server, await asking.growth(conn))
        for finding in await asking.health(conn, server.role):
            yield finding


def _show(findings: list[Finding]) -> None:
    """A table, and below it the cures, each in a line of its own that can be copied."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("topic", "status", "found"):
        grid.add_column(name, overflow="fold")
    for finding in findings:
        grid.add_row(finding.topic, Text(finding.status, _COLOURS[finding.status]), Text(clean(finding.found)))
    show(grid)
    for finding in findings:
        if finding.cure is not None:
            put("\n")
            show(Text.assemble((f"{finding.topic}: ", _COLOURS[finding.status]), clean(finding.cure)))
