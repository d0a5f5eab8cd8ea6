"""The feed over HTTP and WebSocket: the only modules that know aiohttp."""
