"""The values that travel from the log to the client, and how they look on the wire.

Cursors, events, batches, encodings, messages, close codes. No I/O and no state of the process. Of the feed it imports
nothing; of `db` only the types that a read of the log returns.

Invariant: the same change gives the same bytes on every instance, and what a client sends is parsed strictly or
refused.
"""
