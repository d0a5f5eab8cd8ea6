-- Made beside the log and then attached, so that no writer waits; only the empty default partition is locked for a moment.
-- ATTACH would wait for no reader either: one that is just planning has its list of partitions already, may take its snapshot later,
-- and would then skip the rows of this partition although its snapshot shows that their transactions have ended. Whoever reads the
-- log in a single statement names feed.identity in it, which is locked before that list is read: so this lock waits for such readers,
-- for as long as lock_timeout says. Whoever reads in several statements has the snapshot before the plan.
-- A log is never updated, so each page is frozen by the first vacuum that sees it full, and never read again for that.
CREATE FUNCTION feed.make_partition(era bigint) RETURNS void
-- With the rights of the owner of the log, whoever calls it: all partitions must be its own to attach and to drop.
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
AS $$
BEGIN
    EXECUTE format('CREATE TABLE feed.log_%s (LIKE feed.log) '
                   'WITH (autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0.05)', era);
    EXECUTE format('COMMENT ON TABLE feed.log_%s IS %L', era, 'A part of feed.log: what was written in one era. Dropped when it is old.');
    LOCK TABLE feed.identity IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('ALTER TABLE feed.log ATTACH PARTITION feed.log_%s FOR VALUES FROM (%s) TO (%s)', era, era, era + 1);
END
$$;
COMMENT ON FUNCTION feed.make_partition(bigint) IS 'Makes the partition of feed.log for an era that has not begun.';
