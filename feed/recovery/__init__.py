"""A client's way from the cursor that it shows to live: catch-up, shared reads of the log, backpressure.

It imports `presence`, `tailing`, `delivery`, `telemetry`, `system` and `wire`.

Invariant: a client goes live only after it was sent everything up to the end of the replay buffer, each event once. A
cursor is proven in the same snapshot that it is read in.
"""
