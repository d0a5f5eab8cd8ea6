SELECT * FROM feed.verify_seals(%(after)s, %(seals)s)
