"""What runs at intervals for as long as the process serves: heartbeats, and maintenance of the log's partitions.

It imports `tailing`, `delivery`, `telemetry`, `system` and `wire`.

Invariant: heartbeats stop when the log is no longer read, and maintenance never makes a writer wait longer than
feed.keep() lets it.
"""
