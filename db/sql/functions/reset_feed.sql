-- Makes every cursor ever given out invalid: for the cases that feed.identify() cannot see, such as a copied data directory. Wakes the
-- readers, which would otherwise go on with the old id until their next check.
CREATE FUNCTION feed.reset_feed(why text DEFAULT 'by hand') RETURNS text
LANGUAGE sql
AS $$
    SELECT pg_notify('boardcast', '');
    UPDATE feed.identity SET feed_id = feed.new_id(), renewed_at = clock_timestamp(), reason = why RETURNING feed_id
$$;
COMMENT ON FUNCTION feed.reset_feed(text) IS 'Renews the feed id, so that every client takes a new snapshot when it connects next.';
