-- The JSON form of some values (intervals, time ranges) depends on the settings of the session that wrote them. Converting
-- the image to a row and back removes that difference. An image that cannot be read with the current settings, or that
-- violates a domain constraint, is returned unchanged.
CREATE FUNCTION feed.normalize_image(target regclass, image jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    normalized jsonb;
BEGIN
    IF target IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE pg_catalog.format('SELECT feed.typed_image(NULL::%s, $1)', target) INTO normalized USING image;
    RETURN normalized;
END
$$;
COMMENT ON FUNCTION feed.normalize_image(regclass, jsonb) IS
    'A row image from the log, written the way the table would give it now: feed.normalize_image(''tasks'', new).';
