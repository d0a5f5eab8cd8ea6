"""Who may begin a stream, and when: tokens, admission, the rate at which streams begin.

It imports `delivery` and `wire`, and opens no connection to the database.

Invariant: only a token that was verified gives a principal here, and a client that is refused learns why, and when to
come back.
"""
