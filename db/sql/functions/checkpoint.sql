CREATE FUNCTION feed.checkpoint(board text, cursor text DEFAULT NULL, OUT count bigint, OUT hash text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, feed, pg_temp
-- Raise an error if row security hides rows from the caller, instead of counting fewer.
SET row_security = off
AS $$
    SELECT c.count, c.hash FROM feed.checkpoint_seen(checkpoint.board, checkpoint.cursor) AS c
$$;
COMMENT ON FUNCTION feed.checkpoint(text, text) IS
    'Number of opportunities on a board and the hash of their IDs and versions (docs/protocol.md), now or at the position of a cursor. Null if the table was truncated since then. The log must not have been pruned since then (see feed.cursor_fault).';
