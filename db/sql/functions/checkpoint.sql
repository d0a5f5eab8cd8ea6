CREATE FUNCTION feed.checkpoint(board text, cursor text DEFAULT NULL, OUT count bigint, OUT hash text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, feed, pg_temp
-- Who may not see all rows is told so, and not that there are fewer.
SET row_security = off
AS $$
    SELECT c.count, c.hash FROM feed.checkpoint_seen(checkpoint.board, checkpoint.cursor) AS c
$$;
COMMENT ON FUNCTION feed.checkpoint(text, text) IS
    'How many opportunities a board has, and the hash of their ids and versions (docs/protocol.md): now, or where the holder of a cursor stands. The log must not have been pruned since (see feed.cursor_fault), nor the table emptied: null then.';
