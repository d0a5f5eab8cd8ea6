SELECT s.number FROM feed.seals AS s WHERE s.hash = lower(%(hash)s)
