-- One value of a row whose image cannot be made as a whole. Runs without any privileges, for the reason given in feed.row_image.
-- Each subtransaction is read-only until it ends, whatever the code in it does, so that nothing can be dropped or created. Otherwise
-- DROP OWNED BY CURRENT_USER would drop this function.
--
-- {"$text": ...}: jsonb cannot hold the value, so this is its text. {"$omitted": n}: not even that; the value has n bytes.
CREATE FUNCTION feed.value_image(value anyelement) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
AS $$
DECLARE
    nothing text;
BEGIN
    IF CURRENT_USER OPERATOR(pg_catalog.<>) 'feed_sandbox'::pg_catalog.name THEN
        RAISE EXCEPTION 'feed.value_image must not run as %', CURRENT_USER USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'The function was altered. SELECT fix FROM feed.health WHERE topic = ''ownership'' shows how to restore it.';
    END IF;
    BEGIN
        nothing := pg_catalog.set_config('transaction_read_only', 'on', true);
        RETURN coalesce(pg_catalog.to_jsonb(value), 'null');
    EXCEPTION WHEN transaction_rollback THEN
        RAISE;
    WHEN OTHERS THEN
        BEGIN
            nothing := pg_catalog.set_config('transaction_read_only', 'on', true);
            RETURN pg_catalog.jsonb_build_object('$text', value::pg_catalog.text);
        EXCEPTION WHEN transaction_rollback THEN
            RAISE;
        WHEN OTHERS THEN
            RETURN pg_catalog.jsonb_build_object('$omitted', pg_catalog.pg_column_size(value));
        END;
    END;
END
$$;
COMMENT ON FUNCTION feed.value_image(anyelement) IS
    'A value as JSON, made without any privileges; if jsonb cannot hold it, an object with its text ($text) or its size ($omitted).';
