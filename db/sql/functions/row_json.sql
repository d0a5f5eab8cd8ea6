-- For statements that read a table. They see the row as its own type, so the columns can be named.
CREATE FUNCTION feed.row_json(row_data anyelement) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
DECLARE
    image jsonb := feed.row_image(row_data);
BEGIN
    IF image IS NULL AND NOT row_data IS NULL THEN -- a row IS NOT NULL only if no column is null
        EXECUTE 'SELECT ' || feed.unsafe_columns((SELECT t.typrelid FROM pg_type AS t WHERE t.oid = pg_typeof(row_data)), '($1)')
        INTO image USING row_data;
    END IF;
    RETURN image;
END
$$;
COMMENT ON FUNCTION feed.row_json(anyelement) IS
    'A row of a table as JSON, as feed.log has it: feed.row_json(o) FROM opportunities AS o. See feed.value_image.';
