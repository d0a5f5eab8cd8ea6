"""Who sends NOTIFY when many transactions write, and how often the log is read meanwhile.

The pacer is the one elected instance that sends NOTIFY on behalf of all writers. Under load it reads in a loop with
adaptive pauses and notifies once per pass. Imports `tailing`, `telemetry` and `system`.

Invariant: every write that skips NOTIFY is covered by a scheduled read.
"""
