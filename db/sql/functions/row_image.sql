-- The JSON of a row, made with no rights at all: to_jsonb runs the casts of an application's own types (CREATE CAST … AS json). feed_sandbox
-- owns this function and nothing else, and may do nothing, not even name the function: without USAGE of the schema it cannot alter it. Where
-- everybody has that right, code in the sandbox could make it SECURITY INVOKER, and the next code would run as the owner of the log: then there
-- is no image. No SET search_path, which would cost each writer more than the rest of this: all names are qualified instead.
CREATE FUNCTION feed.row_image(row_data record) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
AS $$
BEGIN
    IF CURRENT_USER OPERATOR(pg_catalog.=) 'feed_owner'::pg_catalog.name THEN
        RAISE EXCEPTION 'feed.row_image must not run as %', CURRENT_USER USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT cure FROM feed.health WHERE topic = ''ownership'' says how to put that right.';
    END IF;
    RETURN pg_catalog.to_jsonb(row_data);
END
$$;
COMMENT ON FUNCTION feed.row_image(record) IS 'A row as JSON, made without any right. For feed.capture.';
