-- The partition is created beside the log and then attached, so writers do not wait: only the empty default partition is
-- locked, for a moment. ATTACH does not wait for readers either. A reader that is planning already has its list of
-- partitions and may take its snapshot later; it would then miss rows of the new partition, although its snapshot shows
-- their transactions as committed. The lock on feed.identity prevents that. A statement that reads the log by itself names
-- feed.identity, and locks it before it looks up the partitions. A read of several statements takes its snapshot before it
-- plans. The wait is limited by lock_timeout.
--
-- Rows of the log are never updated, so the first vacuum that finds a page full freezes it.
CREATE FUNCTION feed.make_partition(number bigint) RETURNS void
-- Runs with the rights of the owner of the log, because partitions must belong to that owner to be attached and dropped.
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
AS $$
BEGIN
    EXECUTE format('CREATE TABLE feed.log_%s (LIKE feed.log) '
                   'WITH (autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05)', number);
    EXECUTE format('COMMENT ON TABLE feed.log_%s IS %L', number, 'Partition of feed.log. Dropped when all its rows are older than the retention period.');
    LOCK TABLE feed.identity IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('ALTER TABLE feed.log ATTACH PARTITION feed.log_%s FOR VALUES FROM (%s) TO (%s)', number, number, number + 1);
END
$$;
COMMENT ON FUNCTION feed.make_partition(bigint) IS 'Creates a partition of feed.log that is not being written yet.';
