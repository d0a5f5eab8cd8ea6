"""Benchmarks from the outside: `python -m tests.bench`, or with the names of scenarios."""
