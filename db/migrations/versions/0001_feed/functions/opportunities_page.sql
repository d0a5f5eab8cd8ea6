CREATE FUNCTION feed.opportunities_page(boards text[], after text, size integer) RETURNS TABLE (id text, body jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record := feed.opportunity_source();
    key_type oid := (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.key_column);
    -- A domain would check the key with the rights of the caller.
    base_type text := (SELECT format_type(CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END, NULL) FROM pg_type AS y WHERE y.oid = key_type);
    key text := format('o.%I', source.key_column);
BEGIN
    IF source.target IS NOT NULL THEN
        IF NOT feed.trusted_type(key_type) OR EXISTS (SELECT FROM pg_type AS y JOIN pg_type AS b ON b.oid = y.typbasetype WHERE y.oid = key_type AND b.typtype = 'd') THEN
            key := feed.json_text(key, key_type);
            base_type := 'text';
        END IF;
        RETURN QUERY EXECUTE format('SELECT s.id, s.body FROM (%1$s WHERE %2$s AND ($2 IS NULL OR %3$s > $2::%4$s) ORDER BY %3$s LIMIT $3) AS s',
                                    source.row_source, source.by_board, key, base_type) USING boards, after, size;
    END IF;
END
$$;
COMMENT ON FUNCTION feed.opportunities_page(text[], text, integer) IS 'The next opportunities on some boards, ordered by their key.';
