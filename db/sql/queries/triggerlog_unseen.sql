-- Which rows are new to the holder of a cursor, and from when that is known; at most so many, in no order.
SELECT pg_current_snapshot()::text, u.seq, u.xid::text::bigint, u.at
FROM (SELECT) AS one
LEFT JOIN feed.unseen(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[]) AS u ON true
LIMIT %(limit)s
