"""The REST API of the boards, the pages it serves, and its event streams (Starlette, SQLAlchemy).

A package or module imports only from the lines below its own, never from its neighbors:

    serve                                                starts and stops the service
    app, server                                          the Starlette application; uvicorn
    pages, routes                                        what is served at each address
    middleware                                           around every request
    authentication, board_admin, board_view, cards,      what several routes share
    client_config
    state                                                everything a handler works with
    cache, dba, long_poll                                what outlives a request
    errors, metrics, schemas, tracing                    problems, counters, models, trace contexts
    fingerprints, http                                   HTTP without boards: parsing, responses, streams

Invariant: an import-linter contract in pyproject.toml holds this order, and a new module must be added to it.
"""
