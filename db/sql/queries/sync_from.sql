-- The oldest transaction that wrote at or after a time or, if there is none, the oldest one that may still do so: every
-- later change has this ID or a greater one. Rows are numbered in the order in which they are written, so the first one is
-- found by binary search, and writers do not pay for an index on times. Transaction IDs of another cluster cannot be used:
-- if any row in question was written there, the log counts as pruned.
WITH RECURSIVE search AS (
    SELECT min(l.seq) AS low, max(l.seq) + 1 AS high FROM feed.log AS l
    UNION ALL
    SELECT CASE WHEN m.at < %(at)s::timestamptz THEN m.seq + 1 ELSE s.low END,
           CASE WHEN m.at < %(at)s::timestamptz THEN s.high ELSE (s.low + s.high) / 2 END
    FROM search AS s
    CROSS JOIN LATERAL (SELECT l.seq, l.at FROM feed.log AS l WHERE l.seq >= (s.low + s.high) / 2 ORDER BY l.seq LIMIT 1) AS m
    WHERE s.low < s.high
), start AS (
    SELECT max(low) AS low FROM search
), later AS (
    SELECT min(l.xid::text::bigint) AS xid, coalesce(bool_or(l.partition_number < i.first_partition), false) AS foreign
    FROM feed.identity AS i CROSS JOIN start AS p JOIN feed.log AS l ON l.seq >= p.low
)
SELECT coalesce(later.xid, pg_snapshot_xmin(pg_current_snapshot())::text::bigint) AS xid,
       later.foreign OR (i.floor_seq > 0 AND coalesce((SELECT min(l.seq) FROM feed.log AS l) = p.low, true)) AS pruned
FROM feed.identity AS i CROSS JOIN start AS p CROSS JOIN later
