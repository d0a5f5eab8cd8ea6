-- From where to where the log goes.
SELECT coalesce(min(l.seq), 1) AS low, coalesce(max(l.seq) + 1, 1) AS high FROM feed.log AS l
