-- An expression for the image of a row, column by column. source: what the row is called in the statement, such as o or ($1).
CREATE FUNCTION feed.unsafe_columns(target oid, source text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('feed.columns_image(%L::text[], ARRAY[%s]::jsonb[])', array_agg(a.attname ORDER BY a.attnum),
                  string_agg(format('feed.value_image(%s.%I)', source, a.attname), ', ' ORDER BY a.attnum))
    FROM pg_attribute AS a
    -- Triggers do not see the values of virtual columns.
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
$$;
COMMENT ON FUNCTION feed.unsafe_columns(oid, text) IS
    'SQL for the image of a row that to_jsonb cannot convert. Used by feed.capture and feed.row_json.';
