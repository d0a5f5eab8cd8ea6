-- RAISE takes no null as a hint.
CREATE FUNCTION feed.refuse(reason text, hint text, code text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF reason IS NOT NULL AND hint IS NULL THEN
        RAISE EXCEPTION '%', reason USING ERRCODE = code;
    ELSIF reason IS NOT NULL THEN
        RAISE EXCEPTION '%', reason USING ERRCODE = code, HINT = hint;
    END IF;
END
$$;
COMMENT ON FUNCTION feed.refuse(text, text, text) IS 'Raises an error, if a reason is given. Used by feed.attach.';
