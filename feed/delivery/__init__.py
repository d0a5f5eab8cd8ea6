"""Fan-out of published events to client sockets: publisher, replay buffer, connections, subscriptions.

It also decides who receives what: board memberships, rights during a replay, flags, and the transport rollout. It
imports `wire` and `telemetry`, and does not know where events come from.

Invariant: publishing never awaits. Every live client is sent every event of its boards once, in log order.
"""
