"""Clients written from docs/protocol.md alone: they share no code with the product, so that they cannot share its bugs.

The run calls `make_population` (tests.chaos.clients.population), a `MakePopulation` of tests/chaos/model.py.
"""
