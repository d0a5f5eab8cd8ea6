-- The rows of a board as they are in the table. With a cursor: as its holder should have them, which is the table with the
-- changes since the cursor undone. One statement uses one snapshot, so concurrent writes make no difference. A TRUNCATE
-- cannot be undone, because the log does not contain the rows.
--
-- Only rows visible to the caller are counted. The services use a role that sees all rows even if the table has row
-- security policies (docs/adopting.md).
CREATE FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
    WITH parts AS (
        SELECT 1 AS sign, feed.row_hash(o.id, o.version_number) AS part FROM feed.versions_on(checkpoint_seen.board) AS o
        UNION ALL
        SELECT s.sign, s.sign * feed.row_hash(l.key, s.version)
        FROM feed.parse_cursor(checkpoint_seen.cursor) AS c
        CROSS JOIN LATERAL feed.changes_since(c.xmax, c.xip) AS l
        -- Undo the change: remove the new row and add the old row back.
        CROSS JOIN LATERAL (VALUES
            (-1, CASE WHEN l.op IN ('insert', 'update', 'enter') THEN l.version END),
            (1, CASE WHEN l.op IN ('update', 'delete', 'leave') THEN coalesce(feed.version_number(l.old), l.version) END),
            (NULL, CASE WHEN l.op = 'truncate' THEN 0 END)
        ) AS s(sign, version)
        WHERE l.relation = 'opportunities' AND (l.board = checkpoint_seen.board OR l.op = 'truncate') AND s.version IS NOT NULL
    )
    SELECT CASE WHEN s.known THEN s.rows END, CASE WHEN s.known THEN lpad(to_hex(s.total & 4294967295), 8, '0') END
    FROM (SELECT count(*) = count(sign) AS known, coalesce(sum(sign), 0) AS rows, coalesce(sum(part), 0)::bigint AS total FROM parts) AS s
$$;
COMMENT ON FUNCTION feed.checkpoint_seen(text, text) IS
    'Like feed.checkpoint, but counts only the rows that row security lets the caller see. Used by feed.report_gap.';
