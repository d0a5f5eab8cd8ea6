-- Forgets the log before a time, and remembers how far, so that a cursor from before it is answered "pruned" and never with silence.
-- The newest row always stays: it is the anchor of every cursor that is up to date.
CREATE FUNCTION feed.prune(before timestamptz) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, feed, pg_temp
AS $$
DECLARE
    last_seq bigint;
    last_xid xid8;
    forgotten bigint;
BEGIN
    SELECT max(seq) INTO last_seq FROM feed.log
    WHERE at < before AND seq < (SELECT max(seq) FROM feed.log);
    IF last_seq IS NULL THEN
        RETURN 0;
    END IF;
    SELECT xid INTO last_xid FROM feed.log WHERE seq <= last_seq ORDER BY xid DESC LIMIT 1;
    DELETE FROM feed.log WHERE seq <= last_seq;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    UPDATE feed.identity
    SET floor_seq = greatest(floor_seq, last_seq),
        floor_xid = CASE WHEN floor_xid > last_xid THEN floor_xid ELSE last_xid END;
    RETURN forgotten;
END
$$;
COMMENT ON FUNCTION feed.prune(timestamptz) IS 'Deletes the log before a time; cursors from before it are reset with the reason "pruned". Returns the number of rows.';
