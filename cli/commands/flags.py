"""`boardcast flags`: the rollout of live updates, the switches for emergencies, and the seals of the log."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.connect import WORK_TIMEOUT, with_connection
from cli.failures import DATABASE, USAGE, FailureError
from cli.output import Json, print_result, print_table
from db import flags
from db.changelog import verify
from db.connection import PsycopgConnection

_CHUNK = 1000
"""Rows per table lock while changes are logged that capture has missed."""


class Flag(StrEnum):
    REALTIME = "realtime"


class Transport(StrEnum):
    WEBSOCKET = "websocket"
    SSE = "sse"
    POLL = "poll"
    OFF = "off"


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


_OfUser = Annotated[str | None, typer.Option("--user", metavar="ID", help="Show what this user gets.")]
_Flag = Annotated[Flag, typer.Argument(metavar="FLAG", help="realtime.")]
_Value = Annotated[Transport, typer.Argument(metavar="VALUE", help="The best transport: websocket, sse, poll, or off.")]
_Percentage = Annotated[
    int | None,
    typer.Option(
        "--percentage", metavar="N", min=0, max=100, help="For N percent of the users. Raising it removes nobody."
    ),
]
_User = Annotated[str | None, typer.Option("--user", metavar="ID", help="For this user.")]
_OfPercentage = Annotated[bool, typer.Option("--percentage", help="The rule for a percentage of the users.")]
_ClearUser = Annotated[str | None, typer.Option("--user", metavar="ID", help="The rule for this user.")]
_All = Annotated[bool, typer.Option("--all", help="All rules.")]
_Switch = Annotated[Switch, typer.Argument(metavar="on|off", help="on or off.")]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def show(context: typer.Context, *, user: _OfUser = None, json: Json = False) -> None:
    """Show and change how users get live updates.

    Open clients switch within a second and lose nothing.
    """
    if context.invoked_subcommand is not None:
        return
    if user is None:
        rules = [rule._asdict() for rule in with_connection(flags.list_flags)]
        print_table(
            rules,
            json=json,
            empty="No flag is set: realtime is websocket for everyone, NOTIFY and capture are on, and the log is not sealed.",
        )
        return
    value, bucket, known = with_connection(lambda conn: flags.for_user(conn, user))
    sentence = (
        f"realtime is {value} for {user}, whom every rollout above {bucket} % includes{_unknown_user(known=known)}"
    )
    print_result(sentence, json=json, user_id=user, realtime=value, bucket=bucket, known=known)


@app.command("set")
def set_flag(
    flag: _Flag, value: _Value, *, percentage: _Percentage = None, user: _User = None, json: Json = False
) -> None:
    """Set the transport for everyone, a percentage, or one user.

    The rule for a user comes first, then the one for a percentage, then the one for everyone.
    """
    if percentage is not None and user is not None:
        raise FailureError(USAGE, "--percentage and --user are separate rules: set one, then the other")

    async def work(conn: PsycopgConnection) -> bool:
        await flags.set_realtime(conn, value, percentage=percentage, user=user)
        return user is None or (await flags.for_user(conn, user))[2]

    known = with_connection(work)
    whom = user if user is not None else "everyone" if percentage is None else f"{percentage} % of the users"
    sentence = f"realtime is {value} for {whom}{_unknown_user(known=known)}"
    print_result(sentence, json=json, flag=flag, user_id=user, percentage=percentage, value=value, known=known)


@app.command()
def clear(
    flag: _Flag,
    *,
    percentage: _OfPercentage = False,
    user: _ClearUser = None,
    every: _All = False,
    json: Json = False,
) -> None:
    """Remove the rule for everyone, a percentage, or one user."""
    if sum((percentage, user is not None, every)) > 1:
        raise FailureError(USAGE, "--percentage, --user and --all exclude each other: give one of them")
    scope = None if every else "user" if user is not None else "percentage" if percentage else "everybody"
    cleared = with_connection(lambda conn: flags.clear_realtime(conn, scope, user))
    sentence = {0: "there is no such rule", 1: "rule removed"}.get(cleared, f"{cleared} rules removed")
    print_result(sentence, json=json, flag=flag, cleared=cleared)


@app.command()
def notify(switch: _Switch, *, json: Json = False) -> None:
    """Turn NOTIFY on or off.

    While it is off, no trigger sends NOTIFY. Changes are logged as usual and delivered within a second.
    """
    on = switch is Switch.ON
    with_connection(lambda conn: flags.set_notify(conn, on=on))
    effect = "changes are delivered at once" if on else "no trigger sends it, and changes are delivered within a second"
    print_result(f"NOTIFY is {switch}: {effect}", json=json, notify=switch)


@app.command()
def capture(switch: _Switch, *, json: Json = False) -> None:
    """Turn the logging of changes on or off.

    While it is off, the triggers of all attached tables are disabled, nothing is logged, and nobody gets live updates. When it is
    on again, all clients reload, and the changes made meanwhile are logged as one change per row.
    """
    on = switch is Switch.ON

    async def work(conn: PsycopgConnection) -> tuple[list[str], int]:
        tables = await flags.set_capture(conn, on=on)
        return tables, await _log_missed_changes(conn) if on and tables else 0

    try:
        tables, repaired = with_connection(work, read_timeout=WORK_TIMEOUT)
    except flags.BusyError as error:
        message = (
            f"nothing was changed, because an attached table is in use, {error}: try again, or end that transaction"
        )
        raise FailureError(DATABASE, message) from None
    names = ", ".join(tables)
    if not tables:
        sentence = f"capture is already {switch}"
    elif on:
        sentence = f"capture is on for {names}: all clients reload; {repaired} log rows record what changed meanwhile"
    else:
        sentence = f"capture is off for {names}: nothing is logged, and nobody gets live updates"
    print_result(sentence, json=json, capture=switch, tables=tables, **({"repaired": repaired} if on else {}))


@app.command()
def seal(switch: _Switch, *, json: Json = False) -> None:
    """Turn the sealing of the log on or off.

    While it is on, the services hash the rows of the log once a minute, beginning with the oldest ones. boardcast verify can then
    prove that nobody has altered them since. Writers do not wait for it.
    """
    on = switch is Switch.ON
    with_connection(lambda conn: flags.set_seal(conn, on=on))
    effect = "the services seal it once a minute" if on else "what is written now is not sealed until it is on again"
    print_result(f"sealing of the log is {switch}: {effect}", json=json, seal=switch)


async def _log_missed_changes(conn: PsycopgConnection) -> int:
    """Log the rows that were written without the triggers; returns the number of log rows."""
    repaired = 0
    for table in await verify.tables(conn):
        async for part in verify.verify(conn, table, part=_CHUNK):
            if keys := [finding.key for finding in part.findings if finding.repairable]:
                repaired += await verify.repair(conn, table, keys)
    return repaired


def _unknown_user(*, known: bool) -> str:
    return "" if known else " (no user has this id)"
