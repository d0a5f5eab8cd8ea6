"""Who views and who edits which card, and who views a board, across all instances.

It keeps the leases of this process in the database and sends clients what changed between two reads of the lease table.
It imports `delivery`, `system` and `wire`.

Invariant: after a lost notification, a killed instance or a restarted server, clients converge to the lease table.
"""
