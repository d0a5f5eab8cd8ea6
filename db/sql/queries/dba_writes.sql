-- How much was written in each piece of a time: from the numbers at its borders, which are found by halving, so that a week costs what an
-- hour does. What kind of changes they were is told by the first of each piece: all of them, where they are few.
WITH borders AS MATERIALIZED (
    SELECT g AS at, feed.seq_since(g) AS seq
    FROM generate_series(to_timestamp(%(since)s), to_timestamp(%(until)s), make_interval(secs => %(step)s)) AS g
), pieces AS (
    SELECT b.at, b.seq AS low, lead(b.seq) OVER (ORDER BY b.at) AS high FROM borders AS b
)
SELECT extract(epoch FROM p.at)::bigint AS at, p.high - p.low AS numbers, s.looked, s.span, s.transactions, s.rang
FROM pieces AS p
CROSS JOIN LATERAL (
    SELECT count(*) AS looked, max(l.seq) - p.low + 1 AS span, count(DISTINCT l.xid) AS transactions, count(*) FILTER (WHERE l.rang) AS rang
    FROM (SELECT n.seq, n.xid, n.rang FROM feed.log AS n
          WHERE n.seq >= p.low AND n.seq < p.high ORDER BY n.seq LIMIT %(sample)s) AS l
) AS s
WHERE p.high IS NOT NULL
ORDER BY p.at
