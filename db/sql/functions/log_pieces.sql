-- The tables that the log is made of: itself, or its partitions. Asked piece by piece, so that the ends are read from each one's index.
-- With the owner's rights, since only he may read a piece by its own name.
CREATE FUNCTION feed.log_pieces(OUT piece regclass, OUT holds text, OUT first_seq bigint, OUT first_at timestamptz,
                                OUT last_seq bigint, OUT last_at timestamptz) RETURNS SETOF record
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, feed, pg_temp
AS $$
BEGIN
    FOR piece, holds IN
        SELECT c.oid::regclass, pg_get_expr(c.relpartbound, c.oid)
        FROM pg_class AS c
        WHERE c.relkind = 'r'
          AND (c.oid = 'feed.log'::regclass OR c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'feed.log'::regclass))
    LOOP
        first_seq := NULL;
        first_at := NULL;
        last_seq := NULL;
        last_at := NULL;
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq LIMIT 1', piece) INTO first_seq, first_at;
        EXECUTE format('SELECT seq, at FROM %s ORDER BY seq DESC LIMIT 1', piece) INTO last_seq, last_at;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION feed.log_pieces() IS 'The tables that feed.log is made of, with the first and the last row of each. See feed.retention.';
