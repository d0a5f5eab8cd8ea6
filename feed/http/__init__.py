"""The feed over HTTP: the WebSocket, the event stream, health and metrics. The only part that knows aiohttp.

It may import every other package of the feed. Nothing imports it but the command that starts the service.

Invariant: a client's bytes are bounded before they are parsed, and a fault of a client is never logged as one of ours.
"""
