"""What every route needs of HTTP: operations, parsed input, JSON and problem responses, entity tags, event streams.

It knows nothing about boards and imports nothing else of the API.

Invariant: everything a client sends is bounded before it is used, and every handler has a time limit.
"""
