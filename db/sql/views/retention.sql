CREATE VIEW feed.retention AS
SELECT p.partition, p.bounds, p.first_seq, p.first_at, p.last_seq, p.last_at,
       clock_timestamp() - p.first_at AS age,
       CASE WHEN p.first_seq IS NULL THEN 0
            ELSE least(greatest(pg_stat_get_live_tuples(p.partition), c.reltuples::bigint, 0), p.last_seq - p.first_seq + 1) END AS changes,
       pg_total_relation_size(p.partition) AS bytes,
       pg_size_pretty(pg_total_relation_size(p.partition)) AS size
FROM feed.log_partitions() AS p
JOIN pg_class AS c ON c.oid = p.partition;
COMMENT ON VIEW feed.retention IS
    'What the log contains, by partition. The retention period is in feed.maintenance; how far the log was pruned is in feed.identity.floor_seq.';
COMMENT ON COLUMN feed.retention.partition IS 'The partition';
COMMENT ON COLUMN feed.retention.bounds IS 'Partition bounds';
COMMENT ON COLUMN feed.retention.first_seq IS 'First change; null: none';
COMMENT ON COLUMN feed.retention.first_at IS 'When the first change was written';
COMMENT ON COLUMN feed.retention.last_seq IS 'Last change';
COMMENT ON COLUMN feed.retention.last_at IS 'When the last change was written';
COMMENT ON COLUMN feed.retention.age IS 'Age of the first change';
COMMENT ON COLUMN feed.retention.changes IS 'Estimated number of rows, from the statistics';
COMMENT ON COLUMN feed.retention.bytes IS 'Size including indexes and TOAST';
COMMENT ON COLUMN feed.retention.size IS 'The same, human-readable';
