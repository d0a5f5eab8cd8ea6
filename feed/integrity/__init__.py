"""Checks that clients hold what the table holds: checkpoints of boards, and reports of differences.

It imports `tailing`, `delivery`, `telemetry`, `system` and `wire`.

Invariant: a checkpoint describes the table at the moment of its cursor. A board whose state is unknown is counted again,
never guessed.
"""
