"""What a service needs from asyncio, the operating system and PostgreSQL, whatever it serves.

Owned tasks, backoff, connections and pools, listening sockets, signals, limits of the process. It imports no other
room.

Invariant: every wait on the network has a deadline, and a task that is ended has ended when `end` returns.
"""
