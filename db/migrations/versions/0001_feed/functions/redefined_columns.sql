-- A name whose column was renamed, dropped, or given another type may stand for something else in the next row of the log: values under it
-- that lie on both sides of that cannot be compared. When it happened is known from what was noted before and afterward.
CREATE FUNCTION feed.redefined_columns(target regclass) RETURNS TABLE (name text, after bigint, upto bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH layouts AS (
        SELECT n.place, n.layout, count(*) FILTER (WHERE (n.layout ->> 'restored')::boolean) OVER (ORDER BY n.place) AS restores
        FROM feed.attached AS a
        CROSS JOIN LATERAL jsonb_array_elements(a.layouts || jsonb_build_object(
            'upto', 9223372036854775807, 'restored', a.numbered <> a.relation::oid, 'columns', feed.table_layout(a.relation))) WITH ORDINALITY AS n(layout, place)
        WHERE a.relation = target
    ), columns AS (
        SELECT c.key, c.value, lag(c.value) OVER same AS last_value, lag(l.layout) OVER same AS last_layout, l.layout
        FROM layouts AS l CROSS JOIN LATERAL jsonb_each_text(l.layout -> 'columns') AS c
        WINDOW same AS (PARTITION BY c.key, l.restores ORDER BY l.place)
    )
    SELECT c.key, (c.last_layout ->> 'after')::bigint, (c.layout ->> 'upto')::bigint FROM columns AS c WHERE c.value <> c.last_value
$$;
COMMENT ON FUNCTION feed.redefined_columns(regclass) IS
    'Column names of an attached table that were reused for another column or another type, after the first sequence number and not after the second. Used by feed.verify_log.';
