"""What this process writes about itself into the database, for the people who operate it.

The list of running instances, the journal of deliveries, and the positions of clients. Imports `tailing`, `delivery`,
`system` and `wire`.

Invariant: nobody waits for it and nothing depends on it. What it keeps is bounded; what it cannot write is missing from a
view, and no client is affected.
"""
