CREATE VIEW feed.retention AS
SELECT p.piece, p.holds, p.first_seq, p.first_at, p.last_seq, p.last_at,
       clock_timestamp() - p.first_at AS age,
       CASE WHEN p.first_seq IS NULL THEN 0
            ELSE least(greatest(pg_stat_get_live_tuples(p.piece), c.reltuples::bigint, 0), p.last_seq - p.first_seq + 1) END AS changes,
       pg_total_relation_size(p.piece) AS bytes,
       pg_size_pretty(pg_total_relation_size(p.piece)) AS size
FROM feed.log_pieces() AS p
JOIN pg_class AS c ON c.oid = p.piece;
COMMENT ON VIEW feed.retention IS
    'What is kept of the log: the table, or each of its partitions. For how long: feed.keeper; how far it was pruned: floor_seq of feed.identity.';
COMMENT ON COLUMN feed.retention.piece IS 'The table or partition';
COMMENT ON COLUMN feed.retention.holds IS 'What the partition is for; null where there are none';
COMMENT ON COLUMN feed.retention.first_seq IS 'Its first change; null where it has none';
COMMENT ON COLUMN feed.retention.first_at IS 'When that was written';
COMMENT ON COLUMN feed.retention.last_seq IS 'Its last change';
COMMENT ON COLUMN feed.retention.last_at IS 'When that was written';
COMMENT ON COLUMN feed.retention.age IS 'Of the first change';
COMMENT ON COLUMN feed.retention.changes IS 'Rows, by the statistics: an estimate';
COMMENT ON COLUMN feed.retention.bytes IS 'With its indexes and TOAST';
COMMENT ON COLUMN feed.retention.size IS 'The same, for people';
