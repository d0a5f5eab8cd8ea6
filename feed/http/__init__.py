"""The feed over HTTP: WebSocket, event stream, health checks and metrics. The only package that uses aiohttp and websockets.

It may import every other package of the feed. Only the command that starts the service imports it.

Invariant: the size of client input is bounded before it is parsed, and client errors are never logged as errors of the
service.
"""
