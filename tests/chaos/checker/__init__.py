"""Checks a run from the journal and an audit of the tables; shares no code with the product.

A run uses tests.chaos.checker.checker in this order: `checker = Checker(world)`, which appends itself to `world.on_discard`;
`checker.install()` after `migrate` and before the first row; and `checker.verdicts()` when all clients have settled and stopped.
"""
