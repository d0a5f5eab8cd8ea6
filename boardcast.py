"""The front door: one command for everything that is started or done by hand.

Invariant: what goes wrong is one line on standard error and an exit status (cli/failures.py); a traceback is a fault of ours.
"""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cli.attach import attach, detach
from cli.database import database, migrate
from cli.doctor import doctor
from cli.explain import explain
from cli.failures import USAGE, known
from cli.flags import app as flags
from cli.log import log
from cli.reset import reset_feed
from cli.retention import prune, retain
from cli.serve import api, feed, up
from cli.token import token
from cli.verify import verify

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
    """Run the command line; the process's exit status."""
    try:
        return int(app(standalone_mode=False) or 0)
    except typer.Abort:
        return USAGE
    except Exception as error:
        failure = known(error)
        if failure is None:
            raise
        status, text = failure
        typer.echo(f"boardcast: {text}", err=True)
        return status


if __name__ == "__main__":
    sys.exit(main())
