"""All cursors made invalid, by hand."""

from typing import Annotated

import typer

from cli.connect import ask
from cli.output import Json, told

Reason = Annotated[str, typer.Option(help="Kept in feed.identity.")]


def reset_feed(reason: Reason = "by hand", *, json: Json = False) -> None:
    """Make every cursor invalid.

    For a change of history that the feed cannot notice by itself, such as a copied data directory. Clients take a new
    snapshot, those with open streams within seconds.
    """
    feed_id = ask("SELECT feed.reset_feed(%s)", (reason,))
    told(f"the feed is {feed_id} from now on", json=json, feed=feed_id, reason=reason)
