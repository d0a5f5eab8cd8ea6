from typing import Annotated

import typer

from cli.connect import fetch_value
from cli.output import Json, print_result
from db.sqlfiles import sql

_Reason = Annotated[str, typer.Option(metavar="TEXT", help="Stored in feed.identity.")]


def reset_feed(reason: _Reason = "by hand", *, json: Json = False) -> None:
    """Invalidate all cursors.

    Needed after a change of history that boardcast cannot detect, such as a copied data directory. All clients take a new
    snapshot; those with an open stream do so within seconds.
    """
    feed_id = fetch_value(sql("queries/reset_feed"), {"reason": reason})
    print_result(f"all cursors are invalid; the new feed id is {feed_id}", json=json, feed=feed_id, reason=reason)
