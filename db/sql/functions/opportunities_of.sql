CREATE FUNCTION feed.opportunities_of(keys text[]) RETURNS TABLE (id text, board_id text, version_number integer, place text, body jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record := feed.opportunity_source();
BEGIN
    IF source.target IS NOT NULL THEN
        RETURN QUERY EXECUTE source.row_source || ' WHERE ' || source.by_key USING keys;
    END IF;
END
$$;
COMMENT ON FUNCTION feed.opportunities_of(text[]) IS 'Those of the opportunities with these IDs that exist; the columns are those of feed.opportunities_on.';
