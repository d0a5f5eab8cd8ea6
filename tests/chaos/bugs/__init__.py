"""Seeded bugs: each breaks the product in one way, to prove that the checker notices.

Only `launch` and what it loads may import the product, in the process of the service. A patch whose place is not there any more
fails at once, so that a bug never tests nothing.
"""
