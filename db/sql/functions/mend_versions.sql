-- zz_feed_version must be the last BEFORE UPDATE trigger, because one that runs after it can put version_number back, and clients drop a
-- version that they have. If the application has such triggers, a second one of ours runs after them. It starts from the old
-- row like the first one, so that the version is still incremented by one.
CREATE FUNCTION feed.mend_versions() RETURNS SETOF text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    first record;
    wanted name;
    each record;
BEGIN
    SELECT t.tgrelid, t.tgrelid::regclass AS relation, convert_from(substr(t.tgargs, 1, octet_length(t.tgargs) - 1), 'SQL_ASCII') AS argument INTO first
    FROM pg_trigger AS t WHERE t.tgrelid = feed.opportunities_table() AND t.tgname = 'zz_feed_version' AND octet_length(t.tgargs) > 0;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    wanted := (SELECT CASE WHEN octet_length(l.name) <= 55 THEN l.name || '_version' END FROM feed.later_triggers() AS l ORDER BY l.name COLLATE "C" DESC LIMIT 1);
    FOR each IN
        SELECT t.tgname AS name FROM pg_trigger AS t
        WHERE t.tgrelid = first.tgrelid AND t.tgfoid = 'feed.version_opportunity()'::regprocedure AND t.tgname <> 'zz_feed_version'
          AND (t.tgname IS DISTINCT FROM wanted OR t.tgargs <> (SELECT f.tgargs FROM pg_trigger AS f WHERE f.tgrelid = t.tgrelid AND f.tgname = 'zz_feed_version'))
    LOOP
        PERFORM feed.lock_tables(feed.application_tables());
        EXECUTE format('DROP TRIGGER %I ON %s', each.name, first.relation);
        RETURN NEXT format('dropped trigger %s on %s', each.name, first.relation);
    END LOOP;
    IF wanted IS NOT NULL AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = first.tgrelid AND t.tgname = wanted) THEN
        PERFORM feed.lock_tables(feed.application_tables());
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION feed.version_opportunity(%L)', wanted, first.relation, first.argument);
        RETURN NEXT format('created trigger %s on %s', wanted, first.relation);
    END IF;
END
$$;
COMMENT ON FUNCTION feed.mend_versions() IS
    'Ensures that the last BEFORE UPDATE trigger of the opportunities increments the version. Used by feed.mend.';
