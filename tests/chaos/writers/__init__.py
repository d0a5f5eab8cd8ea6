"""Applications that write: each kind of transaction is a file, and each outcome is recorded as its writer knew it.

Invariant: a writer's error is an outcome, never a verdict. What a fault left unknown is resolved at the end from `chaos.marks`,
where each transaction leaves its tag, and for requests to the API from the log.
"""
