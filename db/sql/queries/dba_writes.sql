-- Number of writes per time bucket: the difference between the sequence numbers at its ends, which are found by binary
-- search, so a week costs as much as an hour. Transactions and notifications are counted in a sample of each bucket, or in
-- all of it if it is small.
WITH borders AS MATERIALIZED (
    SELECT g AS at, feed.seq_since(g) AS seq
    FROM generate_series(to_timestamp(%(since)s), to_timestamp(%(until)s), make_interval(secs => %(step)s)) AS g
), buckets AS (
    SELECT b.at, b.seq AS low, lead(b.seq) OVER (ORDER BY b.at) AS high FROM borders AS b
)
SELECT extract(epoch FROM p.at)::bigint AS at, p.high - p.low AS numbers, s.looked, s.span, s.transactions, s.notified
FROM buckets AS p
CROSS JOIN LATERAL (
    SELECT count(*) AS looked, max(l.seq) - p.low + 1 AS span, count(DISTINCT l.xid) AS transactions, count(*) FILTER (WHERE l.notified) AS notified
    FROM (SELECT n.seq, n.xid, n.notified FROM feed.log AS n
          WHERE n.seq >= p.low AND n.seq < p.high ORDER BY n.seq LIMIT %(sample)s) AS l
) AS s
WHERE p.high IS NOT NULL
ORDER BY p.at
