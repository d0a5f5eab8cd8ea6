-- First sequence number in the log, and one past the last.
SELECT coalesce(min(l.seq), 1) AS low, coalesce(max(l.seq) + 1, 1) AS high FROM feed.log AS l
