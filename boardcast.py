"""The entry point of the `boardcast` command.

Invariant: an expected failure is one line on standard error and an exit status (cli/failures.py); a traceback is a bug.
"""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cli.commands.adopt import adopt
from cli.commands.api import api
from cli.commands.attach import attach
from cli.commands.database import database
from cli.commands.detach import detach
from cli.commands.doctor import doctor
from cli.commands.explain import explain
from cli.commands.feed import feed
from cli.commands.flags import app as flags
from cli.commands.log import log
from cli.commands.migrate import migrate
from cli.commands.prune import prune
from cli.commands.reset_feed import reset_feed
from cli.commands.retain import retain
from cli.commands.token import token
from cli.commands.up import up
from cli.commands.verify import verify
from cli.failures import USAGE, describe

app = typer.Typer(
    help="A live change feed for Kanban boards on plain PostgreSQL.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (
    up,
    feed,
    api,
    migrate,
    token,
    log,
    explain,
    verify,
    doctor,
    adopt,
    attach,
    detach,
    prune,
    retain,
    reset_feed,
    database,
):
    app.command()(command)
app.add_typer(flags, name="flags")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    *,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if show_version:
        typer.echo(version("boardcast"))
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
    else:
        return
    raise typer.Exit


def main() -> int:
    """Run the command line and return the exit status."""
    try:
        return int(app(standalone_mode=False) or 0)
    except typer.Abort:
        return USAGE
    except Exception as error:
        failure = describe(error)
        if failure is None:
            raise
        status, message = failure
        typer.echo(f"boardcast: {message}", err=True)
        return status


if __name__ == "__main__":
    sys.exit(main())
