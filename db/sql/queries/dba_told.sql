-- What was told in each piece of a time, by the instances' own notes: the newest row of a sweep says how long it was from the write to all
-- clients that were live. Of the sweeps of a piece some are asked, which is enough for its quantiles.
WITH told AS (
    SELECT s.told, s.deliveries, s.events, split_part(s.cursor, '.', 5)::bigint AS newest, split_part(s.since, '.', 5)::bigint AS before,
           date_bin(make_interval(secs => %(step)s), s.told, to_timestamp(%(since)s)) AS at
    FROM feed.sweeps AS s
    WHERE s.told >= to_timestamp(%(since)s) AND s.told < to_timestamp(%(until)s)
), numbered AS (
    SELECT t.*, row_number() OVER (PARTITION BY t.at ORDER BY mod(t.newest, 17), t.told) AS nth FROM told AS t
)
SELECT extract(epoch FROM n.at)::bigint AS at, sum(n.deliveries)::float8 AS deliveries, max(extract(epoch FROM d.delay))::float8 AS slowest,
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM d.delay)::float8) AS shares
FROM numbered AS n
LEFT JOIN LATERAL (
    SELECT greatest(n.told - l.at, interval '0') AS delay FROM feed.log AS l WHERE l.seq = n.newest
) AS d ON n.newest > n.before AND n.nth <= %(sample)s
GROUP BY n.at ORDER BY n.at
