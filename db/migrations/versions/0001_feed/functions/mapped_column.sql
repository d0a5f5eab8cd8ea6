-- By its number, which a RENAME COLUMN does not change. Number and OID mean nothing after a dump was restored, or the table was
-- created again: then the column is found by the newest of its names.
CREATE FUNCTION feed.mapped_column(target regclass, mapping jsonb) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce(
        (SELECT a.attname::text FROM pg_attribute AS a
         WHERE a.attrelid = target AND target::oid::bigint = (mapping -> 'table')::bigint AND a.attnum = (mapping -> 'number')::smallint AND NOT a.attisdropped),
        (SELECT a.attname::text FROM jsonb_array_elements_text(mapping -> 'names') WITH ORDINALITY AS n(name, place)
         JOIN pg_attribute AS a ON a.attrelid = target AND a.attname = n.name AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY n.place DESC LIMIT 1));
END
$$;
COMMENT ON FUNCTION feed.mapped_column(regclass, jsonb) IS
    'Present name of the column that an entry of feed.adopted.columns is about; null if it was dropped.';
