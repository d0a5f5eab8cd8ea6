CREATE FUNCTION feed.detach(target regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    trigger_name name;
BEGIN
    IF NOT EXISTS (
        SELECT FROM feed.triggers AS t WHERE t.relation = target AND t.state <> 'missing' AND t.function <> 'version_opportunity') THEN
        RAISE EXCEPTION 'table % is not attached', target USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT DISTINCT relation FROM feed.triggers lists the attached tables.';
    END IF;
    FOR trigger_name IN
        SELECT t.tgname FROM pg_trigger AS t
        WHERE t.tgrelid = target AND NOT t.tgisinternal
          AND t.tgfoid IN ('feed.capture()'::regprocedure, 'feed.guard_key()'::regprocedure, 'feed.name_author()'::regprocedure)
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, target);
    END LOOP;
    DELETE FROM feed.attached AS a WHERE a.relation = target;
END
$$;
COMMENT ON FUNCTION feed.detach(regclass) IS 'Detaches a table from the feed. Its changes stay in feed.log.';
