"""What this process writes about itself into the database, for the people who operate it.

The list of running instances, the journal of deliveries, the positions of clients. It imports `tailing`, `delivery`,
`system` and `wire`.

Invariant: nobody waits for it and nothing depends on it. What is kept is bounded; what cannot be written is missing in a
view, and no client is affected.
"""
