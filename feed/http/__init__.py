"""The feed over HTTP: the only part that knows aiohttp."""
