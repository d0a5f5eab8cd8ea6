-- Maintains the log, one step per call, so that no lock is held for long. Returns null if there is nothing to do or another
-- session is doing it. Any service may call it, because it does only what feed.maintenance specifies.
CREATE FUNCTION feed.maintain() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
SET lock_timeout = '200ms'
AS $$
DECLARE
    plan feed.maintenance;
    ahead text;
    dropped record;
BEGIN
    SELECT * INTO plan FROM feed.maintenance FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- What has been written to a partition that was created empty is in the log, so its end must not go unnoticed.
    UPDATE feed.attached AS a
    SET partitions = ARRAY(SELECT DISTINCT p FROM unnest(a.partitions || feed.created_partitions(a.relation)) AS p ORDER BY p)
    WHERE NOT a.partitions @> feed.created_partitions(a.relation);
    -- The application may rename a column twice before the next migration.
    PERFORM feed.note_columns();
    DELETE FROM feed.gap_reports WHERE at < clock_timestamp() - plan.retention;
    -- Read under the lock: a partition number from before it may be that of the partition that is current by now.
    ahead := format('feed.log_%s', current_partition() + 1);
    IF to_regclass(ahead) IS NULL THEN
        BEGIN
            PERFORM feed.make_partition(current_partition() + 1);
        EXCEPTION WHEN lock_not_available THEN
            RETURN NULL;
        END;
        RETURN format('created %s', ahead);
    END IF;
    -- The retention period spans about ten partitions. An empty partition stays current.
    IF clock_timestamp() - plan.rotated_at > plan.retention / 9
       AND EXISTS (SELECT FROM feed.log AS l WHERE l.partition_number = current_partition()) THEN
        RETURN format('started feed.log_%s', feed.rotate_partition());
    END IF;
    SELECT * INTO dropped FROM feed.prune(clock_timestamp() - plan.retention);
    RETURN format('dropped %s with %s rows', dropped.partition, dropped.forgotten)
    WHERE dropped.partition IS NOT NULL;
END
$$;
COMMENT ON FUNCTION feed.maintain() IS
    'Creates the next partition of feed.log in advance, switches to it when it is due, and drops partitions older than feed.maintenance.retention. One step per call; returns a description of it, or null.';
