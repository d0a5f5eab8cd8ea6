"""A token to try things with.

Invariant: it is made without a database where there is none: what the database adds is the user's name.
"""

from typing import Annotated

import psycopg
import typer

from cli.connect import ask, make_tokens, read_settings
from cli.failures import USAGE, FailureError
from cli.moments import seconds
from cli.output import Json, told
from feed.system.database import NotReadyError

Ttl = Annotated[str, typer.Option(metavar="TIME", help="How long it is good.")]
Roles = Annotated[list[str] | None, typer.Option(help="A role that it carries: dba.")]


def token(user: str, ttl: Ttl = "12h", role: Roles = None, *, json: Json = False) -> None:
    """Print a token to try things with.

    It is signed with JWT_SECRET, or else with the demo's own secret. USER is ana, bruno, carla or diego in the demo.
    """
    settings, good = read_settings(), seconds(ttl)
    if settings.jwt_jwks_url:
        raise FailureError(USAGE, "tokens come from the issuer behind JWT_JWKS_URL: only it can make one")
    tokens = make_tokens(settings if settings.jwt_secret else settings.model_copy(update={"demo": True}))
    name, roles = _name_of(user), role or []
    made = tokens.issue(user, name, good, roles)
    told(made, json=json, token=made, user=user, name=name, roles=roles, seconds=good)


def _name_of(user: str) -> str:
    """The user's name, where the database can be asked."""
    try:
        name = ask("SELECT coalesce(name, id) FROM users WHERE id = %s", (user,))
    except (FailureError, NotReadyError, psycopg.Error):
        return user
    if name is None:
        typer.echo(f"boardcast: the database has no user {user}: the token is good, and sees no board", err=True)
    return str(name or user)
