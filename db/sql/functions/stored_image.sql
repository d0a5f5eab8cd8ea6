CREATE FUNCTION feed.stored_image(image jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    names jsonb := feed.field_names();
    columns jsonb := (SELECT jsonb_object_agg(f.field, f.name) FROM feed.field_columns() AS f WHERE f.name IS NOT NULL);
BEGIN
    RETURN (SELECT jsonb_object_agg(coalesce(columns ->> (names ->> e.key), e.key), e.value ORDER BY e.key IN (SELECT c.value FROM jsonb_each_text(columns) AS c))
            FROM jsonb_each(image) AS e);
END
$$;
COMMENT ON FUNCTION feed.stored_image(jsonb) IS
    'An image of an opportunity from the log, under the names that the columns have now. Used to restore versions.';
