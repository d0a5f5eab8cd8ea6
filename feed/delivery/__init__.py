"""From events that were read to the clients' sockets: subscriptions, connections, the publisher, the replay buffer.

It also keeps what decides who gets what: board memberships, rights during a replay, flags and their rollout. It imports
`wire` and `telemetry`. It does not know where events come from.

Invariant: publishing never awaits. Every live client is sent every event of its boards once, in the order of the log.
"""
