-- Deliveries per time bucket, from the delivery journal. The newest change of a read pass gives the delay from the write
-- until all live clients had been written to. A sample of the read passes of each bucket is enough for the quantiles.
WITH delivered AS (
    SELECT s.delivered_at, s.deliveries, s.events, split_part(s.cursor, '.', 5)::bigint AS newest, split_part(s.since, '.', 5)::bigint AS before,
           date_bin(make_interval(secs => %(step)s), s.delivered_at, to_timestamp(%(since)s)) AS at
    FROM feed.delivery_journal AS s
    WHERE s.delivered_at >= to_timestamp(%(since)s) AND s.delivered_at < to_timestamp(%(until)s)
), numbered AS (
    SELECT t.*, row_number() OVER (PARTITION BY t.at ORDER BY mod(t.newest, 17), t.delivered_at) AS nth FROM delivered AS t
)
SELECT extract(epoch FROM n.at)::bigint AS at, sum(n.deliveries)::float8 AS deliveries, max(extract(epoch FROM d.delay))::float8 AS slowest,
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM d.delay)::float8) AS shares
FROM numbered AS n
LEFT JOIN LATERAL (
    SELECT greatest(n.delivered_at - l.at, interval '0') AS delay FROM feed.log AS l WHERE l.seq = n.newest
) AS d ON n.newest > n.before AND n.nth <= %(sample)s
GROUP BY n.at ORDER BY n.at
