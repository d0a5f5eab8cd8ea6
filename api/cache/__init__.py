"""Board snapshots kept in memory, and reads shared by concurrent requests.

It imports `metrics` and `http`, and nothing that knows about requests.

Invariant: the cache never decides who may see a board, and no response depends on it to be complete.
"""
