-- Excluded columns must never reach the log. If a column of that name no longer exists, this is an error, because it may
-- have been renamed.
CREATE FUNCTION feed.exclude_columns(target regclass, data jsonb, columns text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
BEGIN
    PERFORM feed.missing_column(target, data, columns);
    RETURN data - columns;
END
$$;
COMMENT ON FUNCTION feed.exclude_columns(regclass, jsonb, text[]) IS 'A row without the excluded columns. Used by feed.capture.';
