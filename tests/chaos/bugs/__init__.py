"""Seeded bugs: each breaks the product in one way, to prove that the checker detects it.

Only `launch` and what it loads may import the product, in the process of the service. A patch whose target no longer exists
fails at once, so that no bug silently stops testing anything.
"""
