"""A token for testing.

Invariant: no database is needed. If there is one, it provides the user's name.
"""

from typing import Annotated

import psycopg
import typer

from cli.connect import fetch_value, make_tokens, read_settings
from cli.failures import USAGE, FailureError
from cli.output import Json, print_result
from cli.reconnect import notice
from cli.times import parse_duration
from db.readiness import NotReadyError
from db.sqlfiles import sql

_User = Annotated[str, typer.Argument(metavar="USER", help="The user's id. The demo has ana, bruno, carla and diego.")]
_Ttl = Annotated[str, typer.Option(metavar="TIME", help="How long the token is valid, such as 30m.")]
_Roles = Annotated[
    list[str] | None, typer.Option(metavar="ROLE", help="A role in the token, such as dba. Can be repeated.")
]


def token(user: _User, ttl: _Ttl = "12h", role: _Roles = None, *, json: Json = False) -> None:
    """Print a token for testing.

    It is signed with JWT_SECRET, or with the demo's own secret if that is not set.
    """
    settings, seconds = read_settings(), parse_duration(ttl)
    if settings.jwt_jwks_url:
        raise FailureError(USAGE, "only the issuer behind JWT_JWKS_URL can make tokens: get one there")
    tokens = make_tokens(settings if settings.jwt_secret else settings.model_copy(update={"demo": True}))
    name, roles = _name_of(user), role or []
    made = tokens.issue(user, name, seconds, roles)
    print_result(made, json=json, token=made, user=user, name=name, roles=roles, seconds=seconds)


def _name_of(user: str) -> str:
    """The user's name, or the id if the database cannot be asked."""
    try:
        name = fetch_value(sql("queries/user_name"), {"user": user})
    except (FailureError, NotReadyError, psycopg.Error):
        return user
    if name is None:
        notice(f"the database has no user {user}; the token is valid, but its holder sees no board")
    return str(name or user)
