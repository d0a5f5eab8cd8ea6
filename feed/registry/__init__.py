"""What this process writes about itself into the database, for the people who operate it.

The list of running instances, the journal of deliveries, and the positions of clients. Imports `tailing`, `delivery`,
`system` and `wire`.

Invariant: no other code waits for this package or depends on it. Its memory is bounded. A report that it cannot write is
missing from a view, and no client is affected.
"""
