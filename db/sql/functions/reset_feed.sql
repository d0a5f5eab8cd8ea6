-- Invalidates every cursor, for cases that feed.identify() cannot detect, such as a copied data directory. Wakes up the
-- readers, which would otherwise use the old ID until their next check.
CREATE FUNCTION feed.reset_feed(why text DEFAULT 'by hand') RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT pg_notify('boardcast', '');
    UPDATE feed.identity SET feed_id = feed.new_id(), renewed_at = clock_timestamp(), reason = why RETURNING feed_id
$$;
COMMENT ON FUNCTION feed.reset_feed(text) IS 'Renews the feed ID, so that every client loads a new snapshot when it connects next.';
