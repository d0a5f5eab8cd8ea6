-- At most how many rows the log has from a transaction on, without counting them: rolled back changes count too.
SELECT coalesce((SELECT max(l.seq) FROM feed.log AS l)
                - (SELECT l.seq FROM feed.log AS l WHERE l.xid >= %(xid)s::text::xid8 ORDER BY l.xid LIMIT 1) + 1, 0)
