"""The live feed: from the log of committed changes to the sockets of browsers.

Each package has a sign in its `__init__`. A package imports only from the lines below its own, never from its neighbors:

    http                                                    the only part that knows aiohttp
    router, stream                                          what a message does, what a stream request says
    runtime                                                 the composition root of one process
    access, integrity, notify, recovery, registry, upkeep   each around the feed that runs
    presence, tailing                                       what clients do, what the log says
    delivery                                                from events to sockets
    telemetry                                               metrics and spans
    system, wire                                            the process, the protocol's values

Invariant: an import-linter contract in pyproject.toml holds this order, and a new package must be given its line there.
"""
