"""Who may start a stream, and when: tokens, admission, and the rate limit for new streams.

It imports `delivery` and `wire`, and opens no connection to the database.

Invariant: a principal comes only from a verified token, and a refused client receives the reason and the time to
retry.
"""
