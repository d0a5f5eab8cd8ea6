-- Run by feed.capture(), because only a trigger function sees the transition tables.
CREATE FUNCTION feed.unsafe_rows(target oid, operation text, key_columns text[], excluded text[]) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
    WITH sides AS (
        SELECT s.name, format('(SELECT i.*, feed.row_key(i.data, %L) AS key FROM (SELECT %s - %L::text[] AS data, '
                              'CASE WHEN true THEN r.* END AS stored FROM %s AS r) AS i)',
                              key_columns, feed.unsafe_columns(target, 'r'), coalesce(excluded, '{}'), s.name) AS query
        FROM unnest('{old_rows,new_rows}'::text[]) AS s(name)
    )
    SELECT CASE operation
        WHEN 'INSERT' THEN format('SELECT NULL::jsonb AS before, a.data AS after FROM %s AS a', a.query)
        WHEN 'DELETE' THEN format('SELECT b.data AS before, NULL::jsonb AS after FROM %s AS b', b.query)
        ELSE format('SELECT b.data AS before, a.data AS after FROM %s AS b FULL JOIN %s AS a USING (key) WHERE %s', b.query, a.query,
                    CASE WHEN excluded IS NULL THEN 'b.stored *<> a.stored IS NOT FALSE' ELSE 'b.data IS DISTINCT FROM a.data' END) END
    FROM sides AS b CROSS JOIN sides AS a WHERE b.name = 'old_rows' AND a.name = 'new_rows'
$$;
COMMENT ON FUNCTION feed.unsafe_rows(oid, text, text[], text[]) IS
    'A query that returns the images of a statement''s rows, before and after it, if to_jsonb cannot convert some of them. Used by feed.capture.';
