-- How a value was written in JSON may have hung on the writer's settings (an interval, a range of times): as a row again it does not. What
-- cannot be read under the present ones, or is not allowed any more (a domain's check), is left as it is.
CREATE FUNCTION feed.reread(target regclass, image jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    now_written jsonb;
BEGIN
    IF target IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE pg_catalog.format('SELECT pg_catalog.to_jsonb(pg_catalog.jsonb_populate_record(NULL::%s, $1))', target) INTO now_written USING image;
    RETURN now_written;
EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN
    RETURN image;
END
$$;
COMMENT ON FUNCTION feed.reread(regclass, jsonb) IS
    'A row''s image in the log as the table would give it now: feed.reread(''tasks'', new).';
