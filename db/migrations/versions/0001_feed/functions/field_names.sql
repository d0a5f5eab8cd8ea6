-- An image in the log has the names that the columns had when it was written. So former names count, too, unless another column
-- has such a name now. A column whose name is that of a field which another column holds has no place in a card: null.
CREATE FUNCTION feed.field_names() RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target regclass := feed.opportunities_table();
    mapping jsonb := (SELECT a.columns FROM feed.adopted AS a WHERE a.role = 'opportunities');
    present text[] := ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped);
BEGIN
    RETURN (WITH held AS MATERIALIZED (
        SELECT f.field, f.name FROM feed.field_columns() AS f WHERE mapping ? f.field AND f.name IS NOT NULL
    )
    SELECT coalesce(jsonb_object_agg(n.name, n.field), '{}')
    FROM (SELECT h.field AS name, NULL AS field FROM held AS h
          WHERE h.field = ANY (present) AND NOT EXISTS (SELECT FROM held AS other WHERE other.name = h.field)
          UNION ALL
          SELECT f.name, m.key FROM jsonb_each(mapping) AS m CROSS JOIN LATERAL jsonb_array_elements_text(m.value -> 'names') AS f(name)
          WHERE f.name <> ALL (present)
          UNION ALL
          SELECT h.name, h.field FROM held AS h) AS n);
END
$$;
COMMENT ON FUNCTION feed.field_names() IS
    'Which field of a card a column is, by each name that the column has or had, as feed.card_image needs it. Only columns that were named in feed.adopt.';
