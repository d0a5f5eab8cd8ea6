"""How users get what is new, and the two switches for a bad day: shown, and changed by the owner of schema feed."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.connect import WORK_TIMEOUT, on_database
from cli.failures import DATABASE, USAGE, FailureError
from cli.output import Json, table, told
from db import flags, verify
from db.changelog import Connection

_PART = 1000
"""Rows of a part when the log is made whole: one lock."""


class Flag(StrEnum):
    REALTIME = "realtime"


class Way(StrEnum):
    WEBSOCKET = "websocket"
    SSE = "sse"
    POLL = "poll"
    OFF = "off"


class Turn(StrEnum):
    ON = "on"
    OFF = "off"


Of = Annotated[str | None, typer.Option("--user", metavar="ID", help="What this user is offered.")]
Name = Annotated[Flag, typer.Argument(metavar="FLAG", help="realtime.")]
Value = Annotated[Way, typer.Argument(metavar="VALUE", help="The best way: websocket, sse, poll, or off.")]
Share = Annotated[
    int | None,
    typer.Option(metavar="PERCENT", min=0, max=100, help="For so many of a hundred users; always the same ones."),
]
User = Annotated[str | None, typer.Option("--user", metavar="ID", help="For this user, whatever holds for others.")]
OfShare = Annotated[bool, typer.Option("--share", help="The rule for a share of the users.")]
All = Annotated[bool, typer.Option("--all", help="Every rule.")]
To = Annotated[Turn, typer.Argument(metavar="on|off", help="on or off.")]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def show(context: typer.Context, *, user: Of = None, json: Json = False) -> None:
    """Show and change how users get what is new.

    Open clients move within a second, and lose nothing.
    """
    if context.invoked_subcommand is not None:
        return
    if user is None:
        table(
            [rule._asdict() for rule in on_database(flags.shown)],
            json=json,
            empty="No flag is set: everybody is offered websocket, writers ring, and all is logged.",
        )
        return
    value, place, known = on_database(lambda conn: flags.of_user(conn, user))
    sentence = f"{user} is offered {value}, and is in every share above {place} %{_unless(known=known)}"
    told(sentence, json=json, user_id=user, realtime=value, place=place, known=known)


@app.command("set")
def set_flag(flag: Name, value: Value, *, share: Share = None, user: User = None, json: Json = False) -> None:
    """Offer a way to everybody, to a share of the users, or to one.

    A user's own rule goes before the share's, and that before everybody's. A share that is raised takes nobody out.
    """
    if share is not None and user is not None:
        raise FailureError(USAGE, "--share and --user are two rules: set one after the other")

    async def work(conn: Connection) -> bool:
        await flags.set_realtime(conn, value, share=share, user=user)
        return user is None or (await flags.of_user(conn, user))[2]

    known = on_database(work)
    whom = f"{user} is" if user is not None else "everybody is" if share is None else f"{share} % of the users are"
    sentence = f"{whom} offered {value}{_unless(known=known)}"
    told(sentence, json=json, flag=flag, user_id=user, share=share, value=value, known=known)


@app.command()
def clear(flag: Name, *, share: OfShare = False, user: User = None, every: All = False, json: Json = False) -> None:
    """Take away the rule for everybody, for the share, or for a user."""
    if sum((share, user is not None, every)) > 1:
        raise FailureError(USAGE, "one of --share, --user and --all")
    scope = None if every else "user" if user is not None else "share" if share else "everybody"
    cleared = on_database(lambda conn: flags.clear_realtime(conn, scope, user))
    sentence = {0: "there is no such rule", 1: "the rule is gone"}.get(cleared, f"{cleared} rules are gone")
    told(sentence, json=json, flag=flag, cleared=cleared)


@app.command()
def bell(to: To, *, json: Json = False) -> None:
    """Let writers send NOTIFY, or not.

    Off, no trigger sends one; all is logged, and told within a second.
    """
    on_database(lambda conn: flags.set_bell(conn, on=to is Turn.ON))
    sentence = (
        "the bell is on: what is written is told at once"
        if to is Turn.ON
        else "the bell is off: no trigger sends NOTIFY, and what is written is told within a second"
    )
    told(sentence, json=json, bell=to)


@app.command()
def capture(to: To, *, json: Json = False) -> None:
    """Log what is written, or not.

    Off, the triggers are disabled on every fed table, nothing is logged, and nobody is offered anything live. On again, every
    client loads anew, and what was changed meanwhile is logged as it is now.
    """
    on = to is Turn.ON

    async def work(conn: Connection) -> tuple[list[str], int]:
        tables = await flags.set_capture(conn, on=on)
        return tables, await _make_whole(conn) if on and tables else 0

    try:
        tables, repaired = on_database(work, read_timeout=WORK_TIMEOUT)
    except flags.BusyError as error:
        text = f"a fed table is in use, {error}: nothing was changed. Try again, or end that transaction"
        raise FailureError(DATABASE, text) from None
    named = ", ".join(tables)
    if not tables:
        sentence = f"capture is {to} already"
    elif on:
        sentence = (
            f"capture is on for {named}: every client loads anew; {repaired} rows of the log say what was changed"
        )
    else:
        sentence = f"capture is off for {named}: nothing is logged, and clients are told that there is nothing live"
    told(sentence, json=json, capture=to, tables=tables, **({"repaired": repaired} if on else {}))


async def _make_whole(conn: Connection) -> int:
    """Log how rows are now that were written past the triggers; how many rows of the log that took."""
    repaired = 0
    for fed in await verify.tables(conn):
        async for part in verify.verify(conn, fed, part=_PART):
            if keys := [finding.key for finding in part.findings if finding.curable]:
                repaired += await verify.repair(conn, fed, keys)
    return repaired


def _unless(*, known: bool) -> str:
    return "" if known else "; nobody of that id is in users"
