"""What any service needs from asyncio, the operating system and PostgreSQL.

Owned and supervised tasks, backoff, connections and pools, listening sockets, signals, process limits. Imports no other package
of `feed`.

Invariant: every wait on the network has a deadline, and a task has ended when `end` returns.
"""
