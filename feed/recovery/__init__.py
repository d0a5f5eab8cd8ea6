"""Recovery: brings a client from its cursor to live, with shared reads of the log and backpressure.

It imports `presence`, `tailing`, `delivery`, `telemetry`, `system` and `wire`.

Invariant: a client goes live only after it was sent everything up to the end of the replay buffer, each event once. A
cursor is validated in the snapshot that it is read in.
"""
