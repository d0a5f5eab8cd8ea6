-- Compares the log with the table, for a batch of keys in the log's order. It is one statement with one snapshot, so a
-- concurrent write is visible in both or in neither. The last row, which has no finding, returns how far the batch got
-- (upto; null at the end) and how many rows it read.
CREATE FUNCTION feed.verify_log(target regclass, after text DEFAULT NULL, keys integer DEFAULT 1000)
RETURNS TABLE (finding text, key text, seq bigint, logged integer, found integer, columns text[], upto text, read bigint)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
-- Like feed.capture, so that values have the same JSON form.
SET timezone = 'UTC'
-- Raise an error if row security hides rows, instead of reporting them as missing.
SET row_security = off
AS $$
DECLARE
    parts record := feed.fed_columns(target);
    last text;
    emptied bigint;
BEGIN
    IF target IS NULL THEN
        RETURN;
    END IF;
    SELECT max(l.seq) INTO emptied FROM feed.log AS l WHERE l.relation = parts.relation AND l.key IS NULL AND l.op = 'truncate';
    SELECT max(k.key) INTO last
    FROM (SELECT DISTINCT l.key FROM feed.log AS l
          WHERE l.relation = parts.relation AND l.key >= coalesce(after, '') AND l.key IS DISTINCT FROM after ORDER BY l.key LIMIT keys) AS k;
    RETURN QUERY EXECUTE format($query$
        WITH history AS MATERIALIZED (
            SELECT l.key, l.seq, l.op, l.version, l.origin, lag(l.version) OVER same AS before,
                   lead(l.seq) OVER same IS NULL AS newest, CASE WHEN lead(l.seq) OVER same IS NULL THEN l.new END AS image
            FROM feed.log AS l
            WHERE l.relation = %1$L AND l.key >= coalesce($1, '') AND l.key IS DISTINCT FROM $1 AND l.key <= $2
            WINDOW same AS (PARTITION BY l.key ORDER BY l.seq)
        ), compared AS (
            SELECT k.key, k.seq, k.version, k.image, t.data,
                   k.op IN ('insert', 'update', 'enter') AND k.seq > coalesce($3, 0) AS lives
            FROM history AS k
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
                JOIN jsonb_each(feed.normalize_image(%2$L, c.image)) AS o ON o.key = n.key
                WHERE c.image ? n.key AND n.value IS DISTINCT FROM o.value
            ) AS d ON c.lives AND c.data IS NOT NULL AND c.data <> c.image
        )
        SELECT j.finding, j.key, j.seq, j.version, j.found, j.columns, NULL::text, NULL::bigint
        FROM judged AS j WHERE j.finding IS NOT NULL
        UNION ALL
        SELECT 'hole', s.key, s.seq, s.before, s.version, NULL, NULL, NULL
        FROM history AS s
        -- Other tables may number their versions as they like.
        WHERE %1$L = 'opportunities' AND s.op IN ('update', 'leave') AND s.version <> s.before + 1 AND s.origin IS DISTINCT FROM 'repair'
        UNION ALL
        SELECT NULL, NULL, NULL, NULL, NULL, NULL, $2, count(*) FROM history
    $query$, parts.relation, target, parts.matches, parts.image) USING after, last, emptied;
END
$$;
COMMENT ON FUNCTION feed.verify_log(regclass, text, integer) IS
    'Differences between the log and an attached table. gone: the table lacks the row; back: the row exists although it was logged as deleted; changed: columns differ; hole: versions between logged and found were not logged. The last row reports how far the batch got.';
