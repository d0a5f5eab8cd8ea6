-- Walks back to the last whole image of the row, and applies what changed since. It is in the same partition; see
-- feed.compact_change. Null if that row of the log has been deleted.
CREATE FUNCTION feed.complete_image(relation text, key text, seq bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    image jsonb := '{}';
    entry record;
BEGIN
    FOR entry IN
        SELECT l.op, l.delta, l.new FROM feed.log AS l
        WHERE l.relation = relation AND l.key = key AND l.seq <= seq ORDER BY l.seq DESC
    LOOP
        image := entry.new || image;
        IF entry.op = 'leave' OR entry.new IS NULL THEN
            RETURN NULL;
        ELSIF entry.delta IS NULL OR entry.delta = 0 THEN
            RETURN image;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION feed.complete_image(text, text, bigint) IS
    'The row after a change that was logged without the columns that it did not change. Used by feed.image_after.';
