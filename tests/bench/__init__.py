"""How quick it is, measured from outside: `python -m tests.bench.latency`."""
