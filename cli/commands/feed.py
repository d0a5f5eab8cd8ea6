import asyncio
from typing import TYPE_CHECKING

from cli.connect import make_tokens
from cli.services import print_ready, require_database, require_rights, service_settings, serving_feed
from db.privileges import FEED
from db.settings import Settings
from feed.system.signals import Signals

if TYPE_CHECKING:
    from feed.access.tokens import Tokens


def feed() -> None:
    """Run the feed: /ws and /sse."""
    settings = require_database(service_settings())
    tokens, signals = make_tokens(settings), Signals()
    signals.install()
    signals.run(_serve(settings, tokens))


async def _serve(settings: Settings, tokens: "Tokens") -> None:
    await require_rights(settings, FEED)
    async with serving_feed(settings, tokens):
        print_ready(f"feed={settings.public_feed_url}")
        await asyncio.Event().wait()
