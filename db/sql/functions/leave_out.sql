-- What is left out of the log must never be in it: so a column of which the name is gone is an error, as it may be there under another.
CREATE FUNCTION feed.leave_out(target regclass, data jsonb, columns text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, feed, pg_temp
AS $$
BEGIN
    PERFORM feed.lost_column(target, data, columns);
    RETURN data - columns;
END
$$;
COMMENT ON FUNCTION feed.leave_out(regclass, jsonb, text[]) IS 'A row without the columns that are not for the log. For feed.capture.';
