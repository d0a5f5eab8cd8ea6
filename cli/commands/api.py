from typing import TYPE_CHECKING

from cli.connect import make_tokens
from cli.services import print_ready, require_database, require_rights, service_settings
from db.privileges import API
from db.settings import Settings
from feed.system.signals import Signals

if TYPE_CHECKING:
    from feed.access.tokens import Tokens


def api() -> None:
    """Run the API: REST, /api/events and the board."""
    settings = require_database(service_settings())
    tokens, signals = make_tokens(settings), Signals()
    signals.install()
    signals.run(_serve(settings, tokens))


async def _serve(settings: Settings, tokens: "Tokens") -> None:
    from api.serve import serving

    await require_rights(settings, API)
    async with serving(settings, tokens, drain_timeout=settings.drain_timeout) as api:
        print_ready(f"api={settings.api_url}")
        await api.wait()
