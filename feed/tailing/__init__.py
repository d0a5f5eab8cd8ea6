"""From the database to the publisher: the one place that reads the log for every client of the process.

The listener wakes the tailer, the prefetch asks what is new in the same turn of the loop, the log reader reads and
publishes. A hot standby may be read in the primary's place. It imports `delivery`, `telemetry`, `system` and `wire`.

Invariant: what was published is exactly what the tailer's cursor has seen. Notifications only make a read come sooner;
without any, the log is read once a second.
"""
