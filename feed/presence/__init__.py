"""Who views and who edits which card, and who looks at a board, across all instances.

It keeps the leases of this process in the database and sends clients what changed between two reads of the lease table.
It imports `delivery`, `system` and `wire`.

Invariant: a lost notification, a killed instance and a restarted server all end in the state of the table.
"""
