-- Up to a limit, the rows that are new to the holder of a cursor, in no particular order, and the snapshot in which they
-- were read.
SELECT pg_current_snapshot()::text, u.seq, u.xid::text::bigint, u.at
FROM (SELECT) AS one
LEFT JOIN feed.changes_since(%(since_xmax)s::text::xid8, %(since_xip)s::text[]::xid8[]) AS u ON true
LIMIT %(limit)s
