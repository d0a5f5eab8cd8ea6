-- A value of a json column may itself look like a mark. But capture marks only what jsonb refuses.
CREATE FUNCTION feed.marked_text(image jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF jsonb_typeof(image) = 'object' AND image - '$text' = '{}' AND jsonb_typeof(image -> '$text') = 'string' THEN
        PERFORM (image ->> '$text')::jsonb;
    END IF;
    RETURN NULL;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN image ->> '$text';
END
$$;
COMMENT ON FUNCTION feed.marked_text(jsonb) IS 'The text of a value that jsonb cannot hold (see feed.value_image); otherwise null.';
