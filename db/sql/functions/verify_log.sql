-- The log against the table: one part, of so many keys, in the log's order. One statement and so one snapshot: what is written meanwhile
-- is in both or in neither. The last row, without a finding, says how far it came (upto: null at the end) and how many rows it read.
CREATE FUNCTION feed.verify_log(target regclass, after text DEFAULT NULL, keys integer DEFAULT 1000)
RETURNS TABLE (finding text, key text, seq bigint, logged integer, found integer, columns text[], upto text, read bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
-- As capture writes them.
SET timezone = 'UTC'
-- Who may not see all rows is told so, and not that they are missing.
SET row_security = off
AS $$
DECLARE
    fed record := feed.fed_columns(target);
    last text;
    emptied bigint;
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    SELECT max(l.seq) INTO emptied FROM feed.log AS l WHERE l.relation = fed.relation AND l.key IS NULL AND l.op = 'truncate';
    SELECT max(k.key) INTO last
    FROM (SELECT DISTINCT l.key FROM feed.log AS l
          WHERE l.relation = fed.relation AND l.key >= coalesce(after, '') AND l.key IS DISTINCT FROM after ORDER BY l.key LIMIT keys) AS k;
    RETURN QUERY EXECUTE format($query$
        WITH story AS MATERIALIZED (
            SELECT l.key, l.seq, l.op, l.version, l.origin, lag(l.version) OVER same AS before,
                   lead(l.seq) OVER same IS NULL AS newest, CASE WHEN lead(l.seq) OVER same IS NULL THEN l.new END AS image
            FROM feed.log AS l
            WHERE l.relation = %1$L AND l.key >= coalesce($1, '') AND l.key IS DISTINCT FROM $1 AND l.key <= $2
            WINDOW same AS (PARTITION BY l.key ORDER BY l.seq)
        ), compared AS (
            SELECT k.key, k.seq, k.version, k.image, t.data,
                   k.op IN ('insert', 'update', 'enter') AND k.seq > coalesce($3, 0) AS lives
            FROM story AS k
            LEFT JOIN LATERAL (SELECT %4$s AS data FROM %2$s AS t WHERE %3$s) AS t ON true
            WHERE k.newest
        ), judged AS (
            SELECT c.key, c.seq, c.version, (c.data ->> 'version_number')::integer AS found,
                   CASE WHEN c.lives AND c.data IS NULL THEN 'gone'
                        WHEN NOT c.lives AND c.data IS NOT NULL THEN 'back'
                        WHEN c.lives AND d.columns IS NOT NULL THEN 'changed' END AS finding, d.columns
            FROM compared AS c
            LEFT JOIN LATERAL (
                SELECT array_agg(n.key ORDER BY n.key) AS columns
                FROM jsonb_each(c.data) AS n
                JOIN jsonb_each(feed.reread(%2$L, c.image)) AS o ON o.key = n.key
                WHERE c.image ? n.key AND n.value IS DISTINCT FROM o.value
            ) AS d ON c.lives AND c.data IS NOT NULL AND c.data <> c.image
        )
        SELECT j.finding, j.key, j.seq, j.version, j.found, j.columns, NULL::text, NULL::bigint
        FROM judged AS j WHERE j.finding IS NOT NULL
        UNION ALL
        SELECT 'hole', s.key, s.seq, s.before, s.version, NULL, NULL, NULL
        FROM story AS s
        -- The versions of other tables are their own affair.
        WHERE %1$L = 'opportunities' AND s.op IN ('update', 'leave') AND s.version <> s.before + 1 AND s.origin IS DISTINCT FROM 'repair'
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, $2, count(*) FROM story
    $query$, fed.relation, target, fed.matches, fed.image) USING after, last, emptied;
END
$$;
COMMENT ON FUNCTION feed.verify_log(regclass, text, integer) IS
    'What the log says of a fed table''s rows that the table does not: gone, back, changed past the triggers; hole: versions between logged and found that were never logged. The last row says how far this part came.';
