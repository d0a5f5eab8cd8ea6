-- The rows of a board as the table has them; with a cursor, as its holder has to have them: the table's without what the log has
-- since. In one snapshot, so that what is being written meanwhile makes no difference. What a TRUNCATE took nobody knows.
CREATE FUNCTION feed.checkpoint(board text, cursor text DEFAULT NULL, OUT count bigint, OUT hash text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, feed, pg_temp
-- Who may not see all rows is told so, and not that there are fewer.
SET row_security = off
AS $$
    WITH parts AS (
        SELECT 1 AS one, feed.row_hash(o.id::text, o.version_number) AS part
        FROM public.opportunities AS o WHERE o.board_id = checkpoint.board
        UNION ALL
        SELECT s.one, s.one * feed.row_hash(l.key, s.version)
        FROM feed.parse_cursor(checkpoint.cursor) AS c
        CROSS JOIN LATERAL feed.unseen(c.xmax, c.xip) AS l
        -- Undone: what came with the event goes, and what went with it comes back.
        CROSS JOIN LATERAL (VALUES
            (-1, CASE WHEN l.op IN ('insert', 'update', 'enter') THEN (l.new ->> 'version_number')::int END),
            (1, CASE WHEN l.op IN ('update', 'delete', 'leave') THEN (l.old ->> 'version_number')::int END),
            (NULL, CASE WHEN l.op = 'truncate' THEN 0 END)
        ) AS s(one, version)
        WHERE l.relation = 'opportunities' AND (l.board = checkpoint.board OR l.op = 'truncate') AND s.version IS NOT NULL
    )
    SELECT CASE WHEN s.known THEN s.rows END, CASE WHEN s.known THEN lpad(to_hex(s.total & 4294967295), 8, '0') END
    FROM (SELECT count(*) = count(one) AS known, coalesce(sum(one), 0) AS rows, coalesce(sum(part), 0)::bigint AS total FROM parts) AS s
$$;
COMMENT ON FUNCTION feed.checkpoint(text, text) IS
    'How many opportunities a board has, and the hash of their ids and versions (docs/protocol.md): now, or where the holder of a cursor stands. The log must not have been pruned since (see feed.cursor_fault), nor the table emptied: null then.';
