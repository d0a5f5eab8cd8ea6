"""What all routes that read or write one card share: access to it, the write itself, conflicts, and three-way merges.

It imports `state`, `http`, and the database functions.

Invariant: a write replaces only the version that it names, and a merge decides nothing that both sides changed.
"""
