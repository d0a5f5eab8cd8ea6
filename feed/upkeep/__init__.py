"""Periodic work while the process serves: heartbeats, and maintenance of the log's partitions.

Imports `tailing`, `delivery`, `telemetry`, `system` and `wire`.

Invariant: heartbeats stop when the log is no longer read, and maintenance never makes a writer wait longer than
feed.maintain() allows.
"""
