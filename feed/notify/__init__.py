"""The governor of NOTIFY: who notifies when many write, and how often the log is read meanwhile.

The pacer is the one elected instance that notifies for all. Under load it reads in a loop with adaptive pauses and
notifies once per pass. It imports `tailing`, `telemetry` and `system`.

Invariant: every write that skips NOTIFY is covered by a scheduled read.
"""
