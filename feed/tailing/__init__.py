"""From the database to the publisher: the only code that reads the log for the live clients of a process.

The listener wakes the tailer. The prefetch sends its query in the same callback. The log reader reads the new changes
and publishes them, from the primary or from a hot standby. Imports `delivery`, `telemetry`, `system` and `wire`.

Invariant: what has been published is exactly what the head covers. Notifications only make a read happen sooner;
without any, the log is read once a second.
"""
