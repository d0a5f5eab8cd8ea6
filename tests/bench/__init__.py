"""How quick it is, measured from outside: `python -m tests.bench`, or with the names of some scenarios."""
