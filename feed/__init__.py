"""The live feed: from the log of committed changes to the sockets of browsers.

The docstring of each package says what it does. A package imports only from the lines below its own, never from its
neighbors:

    http                                                    the only part that knows aiohttp
    connection_limits, router, stream_request               what a connection may cost; messages; the request for a stream
    runtime                                                 the composition root of one process
    access, integrity, notify, recovery, registry, upkeep   services around the running feed
    presence, tailing                                       which users are active; reading the log
    delivery                                                from events to sockets
    telemetry                                               metrics and spans
    system, wire                                            the process, the protocol's values

Invariant: an import-linter contract in pyproject.toml enforces this order, and a new package must be added to it.
"""
