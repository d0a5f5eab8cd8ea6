-- The JSON of a row, made without any privileges, because to_jsonb runs casts of the application's own types (CREATE CAST
-- ... AS json). feed_sandbox owns this function and nothing else, and has no privileges: without USAGE on the schema it
-- cannot even name the function, so it cannot alter it. If PUBLIC has that privilege, code in the sandbox could make the
-- function SECURITY INVOKER, and code that it runs next would run as the owner of the log. In that case the function raises
-- an error. There is no SET search_path, which would cost each writer more than everything else here; all names are
-- qualified instead.
--
-- Null if to_jsonb raises an error: json accepts what jsonb does not, a cast may fail, and a row may be too large. The setting
-- feed.unsafe tells feed.capture() that this has happened.
CREATE FUNCTION feed.row_image(row_data record) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
COST 1 -- as for feed.compact_change
AS $$
DECLARE
    nothing text;
BEGIN
    IF CURRENT_USER OPERATOR(pg_catalog.<>) 'feed_sandbox'::pg_catalog.name THEN
        RAISE EXCEPTION 'feed.row_image must not run as %', CURRENT_USER USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'The function was altered. SELECT fix FROM feed.health WHERE topic = ''ownership'' shows how to restore it.';
    END IF;
    BEGIN
        -- Until the end of this subtransaction, whatever runs in it. Otherwise DROP OWNED BY CURRENT_USER would drop this function.
        nothing := pg_catalog.set_config('transaction_read_only', 'on', true);
        RETURN pg_catalog.to_jsonb(row_data);
    EXCEPTION WHEN transaction_rollback THEN
        RAISE;
    WHEN OTHERS THEN
        PERFORM pg_catalog.set_config('feed.unsafe', 'on', true);
        RETURN NULL;
    END;
END
$$;
COMMENT ON FUNCTION feed.row_image(record) IS
    'A row as JSON, made without any privileges; null if it cannot be made, see feed.value_image. Used by feed.capture.';
