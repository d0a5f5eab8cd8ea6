"""The values that travel from the log to the client, and their wire formats.

Cursors, events, batches, encodings, messages, close codes. No I/O and no state. It imports nothing of the feed, and of
`db` only the types that reading the log returns.

Invariant: the same change gives the same bytes on every instance. Client input is parsed strictly or rejected.
"""
