-- Runs without any privileges and read-only, like feed.value_image, because a domain checks the values that become its own.
CREATE FUNCTION feed.typed_image(base anyelement, image jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
AS $$
DECLARE
    nothing text;
BEGIN
    IF CURRENT_USER OPERATOR(pg_catalog.<>) 'feed_sandbox'::pg_catalog.name THEN
        RAISE EXCEPTION 'feed.typed_image must not run as %', CURRENT_USER USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'The function was altered. SELECT fix FROM feed.health WHERE topic = ''ownership'' shows how to restore it.';
    END IF;
    BEGIN
        nothing := pg_catalog.set_config('transaction_read_only', 'on', true);
        RETURN pg_catalog.to_jsonb(pg_catalog.jsonb_populate_record(base, image));
    EXCEPTION WHEN transaction_rollback THEN
        RAISE;
    WHEN OTHERS THEN
        RETURN image;
    END;
END
$$;
COMMENT ON FUNCTION feed.typed_image(anyelement, jsonb) IS
    'A row image converted to a row type and back, without any privileges; unchanged if that fails. Used by feed.normalize_image.';
