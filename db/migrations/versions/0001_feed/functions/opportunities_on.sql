CREATE FUNCTION feed.opportunities_on(boards text[]) RETURNS TABLE (id text, board_id text, version_number integer, place text, body jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record := feed.opportunity_source();
BEGIN
    IF source.target IS NOT NULL THEN
        RETURN QUERY EXECUTE source.row_source || ' WHERE ' || source.by_board USING boards;
    END IF;
END
$$;
COMMENT ON FUNCTION feed.opportunities_on(text[]) IS
    'The opportunities of some boards, with their IDs as in the log and their rows as JSON. place sorts them within a phase.';
