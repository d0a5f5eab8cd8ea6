"""Writers: one file for each family of transactions. Each outcome is recorded as its writer saw it.

Invariant: a writer's error is an outcome, never a verdict. Unknown outcomes are resolved at the end: from `chaos.marks`, where
each transaction leaves its tag, and from the log for API requests.
"""
