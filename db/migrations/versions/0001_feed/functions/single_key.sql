CREATE FUNCTION feed.single_key(target regclass) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.attname::text FROM pg_attribute AS a
    LEFT JOIN pg_index AS i ON i.indrelid = target AND i.indisprimary AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
    WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND (a.attname = 'id' OR i.indrelid IS NOT NULL)
    ORDER BY i.indrelid IS NULL LIMIT 1
$$;
COMMENT ON FUNCTION feed.single_key(regclass) IS
    'The column that identifies a row of users or opportunities: the primary key or, of a view, the column id. Null if there is none, or if the key has several columns.';
