-- The rows of a board as the table has them; with a cursor, as its holder has to have them: the table's without what the log has
-- since. In one snapshot, so that what is being written meanwhile makes no difference. What a TRUNCATE took nobody knows.
--
-- Of what the caller may see: for the services, whose role sees all rows by a policy where a table has some (docs/adopting.md).
CREATE FUNCTION feed.checkpoint_seen(board text, cursor text, OUT count bigint, OUT hash text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
    WITH parts AS (
        SELECT 1 AS one, feed.row_hash(o.id::text, o.version_number) AS part
        FROM public.opportunities AS o WHERE o.board_id = checkpoint_seen.board
        UNION ALL
        SELECT s.one, s.one * feed.row_hash(l.key, s.version)
        FROM feed.parse_cursor(checkpoint_seen.cursor) AS c
        CROSS JOIN LATERAL feed.unseen(c.xmax, c.xip) AS l
        -- Undone: what came with the event goes, and what went with it comes back.
        CROSS JOIN LATERAL (VALUES
            (-1, CASE WHEN l.op IN ('insert', 'update', 'enter') THEN (l.new ->> 'version_number')::int END),
            (1, CASE WHEN l.op IN ('update', 'delete', 'leave') THEN (l.old ->> 'version_number')::int END),
            (NULL, CASE WHEN l.op = 'truncate' THEN 0 END)
        ) AS s(one, version)
        WHERE l.relation = 'opportunities' AND (l.board = checkpoint_seen.board OR l.op = 'truncate') AND s.version IS NOT NULL
    )
    SELECT CASE WHEN s.known THEN s.rows END, CASE WHEN s.known THEN lpad(to_hex(s.total & 4294967295), 8, '0') END
    FROM (SELECT count(*) = count(one) AS known, coalesce(sum(one), 0) AS rows, coalesce(sum(part), 0)::bigint AS total FROM parts) AS s
$$;
COMMENT ON FUNCTION feed.checkpoint_seen(text, text) IS 'The same as feed.checkpoint, of the rows that row security lets the caller see. For feed.report_gap.';
