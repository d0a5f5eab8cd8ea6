CREATE FUNCTION feed.detach(target regclass) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    trigger_name name;
    was_attached boolean;
BEGIN
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = target AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')) THEN
        PERFORM feed.lock_tables(ARRAY[target]);
    END IF;
    -- By function and by name: a trigger with the name of ours may call another function.
    FOR trigger_name IN
        SELECT t.tgname FROM pg_trigger AS t
        LEFT JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = 'feed'::regnamespace
        WHERE t.tgrelid = target AND NOT t.tgisinternal
          AND (p.proname IN ('capture', 'begin_statement')
               OR t.tgname IN ('feed_begin', 'feed_capture_insert', 'feed_capture_update', 'feed_capture_delete', 'feed_capture_truncate'))
    LOOP
        was_attached := true;
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, target);
    END LOOP;
    DELETE FROM feed.attached AS a WHERE a.relation = target;
    IF NOT FOUND AND was_attached IS NULL AND target IS NOT NULL THEN
        RAISE EXCEPTION 'table % is not attached', target USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT name FROM feed.attached_tables lists the attached tables.';
    END IF;
END
$$;
COMMENT ON FUNCTION feed.detach(regclass) IS
    'Detaches a table from the feed. Its changes stay in feed.log. For a table that was dropped, pass its OID: feed.detach(''16543'').';
