"""Judges a run from the journal and the database's own audit; shares no code with the product.

The run calls, in this order (tests.chaos.checker.checker):
`checker = Checker(world)`, which appends itself to `world.discarding`; `checker.install()` after `migrate` and before the first
row; and, when every client has settled and stopped, `checker.verdicts()`.
"""
