-- The oldest transaction that wrote at or after a time, or later than any if none did: all that came since is at or above it.
-- Rows are numbered as they are written, so the first of that time is found by halving, and no index on times is paid by writers.
-- What another cluster wrote is not to be told by its transactions: with any of it in question, the log does not go back that far.
WITH RECURSIVE search AS (
    SELECT min(l.seq) AS low, max(l.seq) + 1 AS high FROM feed.log AS l
    UNION ALL
    SELECT CASE WHEN m.at < %(at)s::timestamptz THEN m.seq + 1 ELSE s.low END,
           CASE WHEN m.at < %(at)s::timestamptz THEN s.high ELSE (s.low + s.high) / 2 END
    FROM search AS s
    CROSS JOIN LATERAL (SELECT l.seq, l.at FROM feed.log AS l WHERE l.seq >= (s.low + s.high) / 2 ORDER BY l.seq LIMIT 1) AS m
    WHERE s.low < s.high
), place AS (
    SELECT max(low) AS low FROM search
), later AS (
    SELECT min(l.xid::text::bigint) AS xid, coalesce(bool_or(l.era < i.first_era), false) AS foreign
    FROM feed.identity AS i CROSS JOIN place AS p JOIN feed.log AS l ON l.seq >= p.low
)
SELECT coalesce(later.xid, pg_snapshot_xmin(pg_current_snapshot())::text::bigint) AS xid,
       later.foreign OR (i.floor_seq > 0 AND coalesce((SELECT min(l.seq) FROM feed.log AS l) = p.low, true)) AS pruned
FROM feed.identity AS i CROSS JOIN place AS p CROSS JOIN later
