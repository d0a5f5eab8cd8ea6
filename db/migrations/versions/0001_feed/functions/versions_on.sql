CREATE FUNCTION feed.versions_on(board text) RETURNS TABLE (id text, version_number integer)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record := feed.opportunity_source();
BEGIN
    IF source.target IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT %s, %s FROM %s AS o WHERE %s', source.id_text, source.version_text, source.target, source.by_board)
        USING ARRAY[board];
    END IF;
END
$$;
COMMENT ON FUNCTION feed.versions_on(text) IS 'IDs and versions of the opportunities on a board.';
