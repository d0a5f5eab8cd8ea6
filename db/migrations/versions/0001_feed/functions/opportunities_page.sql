CREATE FUNCTION feed.opportunities_page(boards text[], after text, size integer) RETURNS TABLE (id text, body jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record := feed.opportunity_source();
    key_type text := (SELECT format_type(a.atttypid, NULL) FROM pg_attribute AS a WHERE a.attrelid = source.target AND a.attname = source.key_column);
BEGIN
    IF source.target IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT s.id, s.body FROM (%1$s WHERE %2$s AND ($2 IS NULL OR o.%3$I > $2::%4$s) ORDER BY o.%3$I LIMIT $3) AS s',
                                    source.row_source, source.by_board, source.key_column, key_type) USING boards, after, size;
    END IF;
END
$$;
COMMENT ON FUNCTION feed.opportunities_page(text[], text, integer) IS 'The next opportunities on some boards, ordered by their key.';
