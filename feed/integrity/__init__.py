"""Whether clients hold what the table holds: checkpoints of boards, and reports of boards that differ.

It imports `tailing`, `delivery`, `telemetry`, `system` and `wire`.

Invariant: a checkpoint at a cursor is the table of that moment. What cannot be known of a board is counted again, never
guessed.
"""
