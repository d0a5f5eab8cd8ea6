-- The partitions of the log, queried one at a time, so that the first and last row come from the index of each. Runs with
-- the owner's rights, because only the owner may read a partition directly.
CREATE FUNCTION feed.log_partitions(OUT partition regclass, OUT bounds text, OUT first_seq bigint, OUT first_at timestamptz,
                                OUT last_seq bigint, OUT last_at timestamptz) RETURNS SETOF record
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
AS $$
BEGIN
    FOR partition, bounds IN
        SELECT c.oid::regclass, pg_get_expr(c.relpartbound, c.oid)
        FROM pg_class AS c
        WHERE c.relkind = 'r'
          AND (c.oid = 'feed.log'::regclass OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'feed.log'::regclass))
    LOOP
        first_seq := NULL;
        first_at := NULL;
        last_seq := NULL;
        last_at := NULL;
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq LIMIT 1', partition) INTO first_seq, first_at;
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq DESC LIMIT 1', partition) INTO last_seq, last_at;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.log_partitions() IS 'Partitions of feed.log, with the first and the last row of each. See feed.retention.';
