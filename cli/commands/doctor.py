"""The health of the configured connections, the server, the role's privileges and the feed.

Invariant: nothing is changed. A check that this role may not run is `unknown`, and names the roles that may run it. A problem
comes with its fix.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

import typer

from cli import checks, probe
from cli.connect import database_url, read_settings
from cli.failures import DATABASE, PROBLEMS, FailureError
from cli.output import Json, escape, print_json, print_rich, write
from db import doctor as server_checks
from db.doctor import BAD, OK, UNKNOWN, WARNING, Finding
from db.settings import Settings

_COLORS = {OK: "green", WARNING: "yellow", BAD: "bold red", UNKNOWN: "dim"}
_TIMEOUT = 60.0


def doctor(*, json: Json = False) -> None:
    """Diagnose problems and print a fix for each.

    Checks the configured connections, the server, the privileges of this role, and feed.health. It changes nothing. The exit
    status is 5 if there is a problem; checks that this role may not run are reported as unknown and do not count.
    """
    # The findings report what happens to connections.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    findings = asyncio.run(_collect(read_settings(), json=json))
    if not json:
        _print(findings)
    if not all(finding.well for finding in findings):
        raise typer.Exit(PROBLEMS)


async def _collect(settings: Settings, *, json: bool) -> list[Finding]:
    findings = []
    try:
        async with asyncio.timeout(_TIMEOUT):
            async for finding in _run_checks(settings):
                findings.append(finding)
                if json:
                    print_json(finding._asdict())
    except TimeoutError:
        raise FailureError(DATABASE, "the database stopped answering during the checks: try again") from None
    return findings


async def _run_checks(settings: Settings) -> AsyncIterator[Finding]:
    url, direct = database_url(settings), settings.listen_database_url
    async with probe.opened(url) as conn:
        server = await server_checks.server(conn)
        yield checks.connection("database", conn, server)
        yield checks.primary(server)
        yield server_checks.version(server.version)
        yield checks.clock(await probe.clock_offset(conn))
        yield await checks.pooler(conn, url, direct=direct is not None)
        yield await checks.listen(conn, direct or url, named=direct is not None)
        for finding in await server_checks.settings(conn, server.role):
            yield finding
        if not (server.installed or server.versioned):
            yield Finding("installed", BAD, "boardcast is not installed in this database", "boardcast migrate")
            return
        revision = await server_checks.revision(conn, server)
        yield revision
        if revision.status == BAD:
            return  # another schema than the one that the other checks know
        yield await server_checks.schema(conn)
        if server.standby:
            yield Finding("health", UNKNOWN, "feed.health can only be read on the primary")
            return
        if settings.replica_url is not None:
            yield await checks.standby(conn, settings.replica_url, settings.max_replica_lag, server.role)
        yield await server_checks.rights(conn)
        yield checks.disk(conn, server, await server_checks.growth(conn))
        for finding in await server_checks.health(conn, server.role):
            yield finding


def _print(findings: list[Finding]) -> None:
    """Print a table, and below it each fix on a line of its own that can be copied."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("topic", "status", "found"):
        grid.add_column(name, overflow="fold")
    for finding in findings:
        grid.add_row(finding.topic, Text(finding.status, _COLORS[finding.status]), Text(escape(finding.found)))
    print_rich(grid)
    for finding in findings:
        if finding.fix is not None:
            write("\n")
            print_rich(Text.assemble((f"{finding.topic}: ", _COLORS[finding.status]), escape(finding.fix)))
